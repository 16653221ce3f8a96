"""What is drawn."""

import pytest

from experiments.mansilla import BASE, CLASSIFIER_FULL
from tests.helpers import made_up_study


@pytest.fixture
def space():
    return made_up_study.latent_space()


@pytest.fixture
def out(tmp_path, make_record, put_record):
    """Records of two seeds of the autoencoder and of one classifier."""
    for record in (make_record(BASE, 0), make_record(BASE, 1), make_record(CLASSIFIER_FULL)):
        put_record(tmp_path, record)
    return tmp_path
