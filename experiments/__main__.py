"""The console script `keras-fmnist`: hands every experiment to the command line."""

import sys

from experiments import (
    assumptions,
    manolucos,
    manolucos_claims,
    mansilla,
    mansilla_claims,
    transfer,
)
from experiments.deviations import DEVIATIONS
from experiments.exhibits import EXHIBITS
from experiments.spanish import SPANISH
from keras_fmnist import cli, menu
from keras_fmnist.catalogue import Catalogue, Live

REPORTS = {"mansilla": mansilla.SPECS, "manolucos": manolucos.SPECS, "transfer": transfer.SPECS}
CLAIMS = (*mansilla_claims.CLAIMS, *manolucos_claims.CLAIMS, *transfer.CLAIMS)
CATALOGUE = Catalogue(
    reports=REPORTS,
    claims=CLAIMS,
    exhibits=EXHIBITS,
    deviations=DEVIATIONS,
    questions=assumptions.QUESTIONS,
    findings=assumptions.FINDINGS,
    spanish=SPANISH,
    benched=(mansilla.BASE, mansilla.CLASSIFIER_FULL, mansilla.CLASSIFIER_FROZEN, manolucos.WIDE),
    classifier=mansilla.CLASSIFIER_FULL,
    live=Live(
        classifiers=(mansilla.CLASSIFIER_FULL, mansilla.CLASSIFIER_FROZEN),
        autoencoders=(
            *(mansilla.BASE, mansilla.LATENT_256, mansilla.SGD),
            *(manolucos.NO_DROPOUT, manolucos.WIDE),
        ),
    ),
)


def main() -> int:
    """Runs `keras-fmnist` and returns its exit status."""
    return cli.main(menu.tool(CATALOGUE), "keras-fmnist")


if __name__ == "__main__":
    sys.exit(main())
