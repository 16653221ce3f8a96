"""The console script `keras-fmnist`: every report's experiments and claims on the command line."""

import sys

from experiments import manolucos, mansilla, transfer
from keras_fmnist import cli, menu

REPORTS = {"mansilla": mansilla.SPECS, "manolucos": manolucos.SPECS, "transfer": transfer.SPECS}
CLAIMS = (*mansilla.CLAIMS, *manolucos.CLAIMS, *transfer.CLAIMS)


def main():
    """Runs `keras-fmnist` and returns its exit status."""
    return cli.main(menu.tool(REPORTS, CLAIMS), "keras-fmnist")


if __name__ == "__main__":
    sys.exit(main())
