"""A record of an autoencoder."""

import pytest

from experiments.mansilla import BASE


@pytest.fixture
def record(make_record):
    return make_record(BASE)
