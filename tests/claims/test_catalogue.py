"""The catalogue: what the experiments hand to the library, in their order."""

from experiments.manolucos import BASELINE, NO_DROPOUT
from experiments.mansilla import BASE, CLASSIFIER_FULL, SGD
from keras_fmnist.claims.catalogue import Catalogue


def test_the_experiments_of_all_reports_come_in_their_order():
    catalogue = Catalogue(
        reports={"mansilla": (SGD, BASE), "manolucos": (NO_DROPOUT,)},
        questions={BASELINE: (BASELINE,), NO_DROPOUT: (CLASSIFIER_FULL, SGD)},
    )
    assert catalogue.specs == [SGD, BASE, NO_DROPOUT]
    # An experiment of a report that is a reading too is run as that experiment.
    assert catalogue.readings == [BASELINE, CLASSIFIER_FULL]


def test_a_report_alone_is_enough():
    catalogue = Catalogue(reports={"mansilla": (BASE,)})
    assert catalogue.readings == []
    assert (catalogue.claims, catalogue.exhibits, catalogue.benched) == ((), {}, ())
