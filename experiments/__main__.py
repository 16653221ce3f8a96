"""The console script `keras-fmnist`: every report's experiments and claims on the command line."""

import sys

from experiments import assumptions, manolucos, mansilla, transfer
from keras_fmnist import cli, menu
from keras_fmnist.catalogue import Catalogue

REPORTS = {"mansilla": mansilla.SPECS, "manolucos": manolucos.SPECS, "transfer": transfer.SPECS}
CATALOGUE = Catalogue(
    REPORTS, assumptions.QUESTIONS, (*mansilla.CLAIMS, *manolucos.CLAIMS, *transfer.CLAIMS)
)


def main():
    """Runs `keras-fmnist` and returns its exit status."""
    return cli.main(menu.tool(CATALOGUE), "keras-fmnist")


if __name__ == "__main__":
    sys.exit(main())
