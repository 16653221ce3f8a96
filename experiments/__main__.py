"""The console script `keras-fmnist`: hands every experiment to the command line."""

import sys

from experiments import (
    assumptions,
    manolucos,
    manolucos_claims,
    manolucos_classifier_claims,
    mansilla,
    mansilla_claims,
    transfer,
)
from experiments.decoders import DECODERS
from experiments.deviations import DEVIATIONS
from experiments.exhibits import EXHIBITS
from experiments.headlines import HEADLINES
from experiments.registered import REGISTERED
from experiments.summaries import SUMMARIES
from keras_fmnist.claims.catalogue import Catalogue, Live
from keras_fmnist.claims.registration import with_registration
from keras_fmnist.cli import app
from keras_fmnist.cli.menu import build_menu

REPORTS = {"mansilla": mansilla.SPECS, "manolucos": manolucos.SPECS, "transfer": transfer.SPECS}
CLAIMS = with_registration(
    (
        *mansilla_claims.CLAIMS,
        *manolucos_claims.CLAIMS,
        *manolucos_classifier_claims.CLAIMS,
        *transfer.CLAIMS,
    ),
    REGISTERED,
)
CATALOGUE = Catalogue(
    reports=REPORTS,
    claims=CLAIMS,
    exhibits=EXHIBITS,
    deviations=DEVIATIONS,
    questions=assumptions.QUESTIONS,
    alternatives=DECODERS,
    findings=assumptions.FINDINGS,
    summaries=SUMMARIES,
    headlines=HEADLINES,
    main_results=(
        mansilla.BASE,
        mansilla.CLASSIFIER_FULL,
        mansilla.CLASSIFIER_FROZEN,
        transfer.RANDOM_HEAD,
        manolucos.WIDE,
        manolucos.CLASSIFIER_FC_ADAM,
    ),
    main_job=(mansilla.BASE, mansilla.CLASSIFIER_FULL, mansilla.CLASSIFIER_FROZEN),
    benched=(
        *(mansilla.BASE, mansilla.CLASSIFIER_FULL, mansilla.CLASSIFIER_FROZEN),
        *(manolucos.BASELINE, manolucos.WIDE),
    ),
    classifier=mansilla.CLASSIFIER_FULL,
    live=Live(
        classifiers=(mansilla.CLASSIFIER_FULL, mansilla.CLASSIFIER_FROZEN),
        # `wide` would add 11 MB to the page.
        autoencoders=(
            *(mansilla.BASE, mansilla.LATENT_256, mansilla.SGD),
            manolucos.NO_DROPOUT,
        ),
    ),
)


def main() -> int:
    """Runs `keras-fmnist` and returns its exit status."""
    return app.main(build_menu(CATALOGUE), "keras-fmnist")


if __name__ == "__main__":
    sys.exit(main())
