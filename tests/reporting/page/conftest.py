"""The page of a small study that nobody ran; and the live page of the published one, opened."""

import pytest

from experiments.__main__ import CATALOGUE
from keras_fmnist.records.record import read_records
from keras_fmnist.reporting.page.render import render_live_page, render_page
from tests.helpers import made_up_study
from tests.helpers.browser import launched, open_page
from tests.helpers.garment_photos import save_all
from tests.helpers.html import Reader
from tests.helpers.live import PUBLISHED, RESET, bring, settled, winners


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


# --- the live page


@pytest.fixture(scope="session")
def page_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("live") / "live.html"
    html = render_live_page(CATALOGUE, read_records(PUBLISHED), PUBLISHED)
    path.write_text(html, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def garments(tmp_path_factory):
    return save_all(tmp_path_factory.mktemp("photos"), PUBLISHED)


@pytest.fixture(scope="module")
def heard():
    """Complaints of the page, and every address that it asked for."""
    return {"complaints": [], "requests": []}


@pytest.fixture(scope="module")
def opened(page_file, heard):
    with launched() as chromium:
        tab = open_page(chromium, page_file, heard)
        tab.wait_for_function("() => document.documentElement.dataset.ready")
        yield tab


@pytest.fixture
def tab(opened):
    """The page as it is when it has just been loaded."""
    opened.set_viewport_size({"width": 1280, "height": 900})
    opened.emulate_media(media="screen", color_scheme="light")
    opened.evaluate(RESET)
    settled(opened)
    return opened


@pytest.fixture(scope="session")
def nets():
    """`{experiment's id: the trained net}` by Keras."""
    from keras_fmnist.inference import trained

    chosen = (*CATALOGUE.live.classifiers, *CATALOGUE.live.autoencoders)
    return {s.id: trained.load(PUBLISHED, trained.find(PUBLISHED, s.id), s) for s in chosen}


@pytest.fixture(scope="module")
def brought(opened, garments):
    """What the page makes of each photo: `{what is hard: (784 bytes, steps, class)}`."""
    return {name: (*bring(opened, path), winners(opened)[0]) for name, path in garments.items()}
