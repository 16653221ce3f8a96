"""The page of a small study that nobody ran."""

import pytest

from experiments.__main__ import CATALOGUE
from keras_fmnist.records.record import read_records
from keras_fmnist.reporting.page.render import render_page
from tests.helpers import made_up_study
from tests.helpers.html import Reader


@pytest.fixture(scope="session")
def study(tmp_path_factory, make_record, put_record):
    out = tmp_path_factory.mktemp("study")
    made_up_study.leave(out, make_record, put_record)
    return out


@pytest.fixture(scope="session")
def html(study):
    return render_page(CATALOGUE, read_records(study), study)


@pytest.fixture(scope="session")
def read(html):
    return Reader(html)
