"""The page: one file, in which nothing is asked of a network and what a record says is text."""

import json
import re

import pytest

from experiments.__main__ import CATALOGUE
from experiments.mansilla import BASE
from keras_fmnist.records.json_files import RecordError
from keras_fmnist.records.record import read_records
from keras_fmnist.reporting.page.render import render_page
from tests.helpers import made_up_study
from tests.helpers.html import Reader
from tests.helpers.processes import run_without_frameworks

# --- the file ---


def test_nothing_is_asked_of_a_network(html, read):
    assert len(read.links) > 60
    for tag, link in read.links:
        if not link.startswith(("#", "data:image/png;base64,")):
            assert tag == "a"
            assert link.startswith("https://")
    assert "default-src 'none'" in html
    assert not re.search(r"@import|url\(|<link", html[: html.index("</style>")])


def test_what_a_record_says_is_text_and_never_markup(make_record, study):
    record = make_record(
        BASE, command='python "<script>alert(1)</script>"', commit="<b>" + "0" * 37
    )
    shown = render_page(CATALOGUE, [record], study)
    assert "<script>alert" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert "<b>0" not in shown


def test_before_the_first_run_the_page_says_so(tmp_path):
    read = Reader(render_page(CATALOGUE, [], tmp_path))
    text = " ".join(" ".join(read.texts).split())
    assert "No autoencoder has been run yet." in text
    assert "No comparison lies beside these records yet" in text
    assert read.row("base")[1:] == ["", "", "", "", "", "not run yet"]


def test_a_run_of_no_epochs_has_a_place_and_no_plot(make_record, tmp_path):
    record = make_record(BASE, history={})
    shown = render_page(CATALOGUE, [record], tmp_path)
    assert 'class="chart"' not in shown
    assert re.search(r'Figure 3.*?class="soft">.*?not run yet.*?: mansilla/base</p>', shown, re.S)
    assert "0.5" in Reader(shown).row("0", record.command)[2]


@pytest.mark.parametrize(("kind", "lost"), [("parity", "rows"), ("benchmarks", "machine")])
def test_a_damaged_measurement_is_named(tmp_path, kind, lost):
    whole = {"parity": made_up_study.PARITY, "benchmarks": made_up_study.BENCHMARK}[kind]
    path = tmp_path / kind / "cpu.json"
    path.parent.mkdir()
    path.write_text(json.dumps({name: value for name, value in whole.items() if name != lost}))
    with pytest.raises(RecordError, match=rf"cpu\.json lacks the field {lost}"):
        render_page(CATALOGUE, [], tmp_path)
    path.write_text("{")
    with pytest.raises(RecordError, match=r"cpu\.json is not JSON"):
        render_page(CATALOGUE, [], tmp_path)
    path.write_text(json.dumps({name: [{}] for name in whole}))
    with pytest.raises(RecordError, match=r"cpu\.json is not what its command writes"):
        render_page(CATALOGUE, [], tmp_path)


RENDER = """
import sys
from experiments.__main__ import CATALOGUE
from keras_fmnist.records.record import read_records
from keras_fmnist.reporting.page.render import render_page
html = render_page(CATALOGUE, read_records(sys.argv[1]), sys.argv[1])
sys.stdout.write(html)
"""


def test_the_same_records_give_the_same_bytes_and_need_no_keras(study, html):
    assert render_page(CATALOGUE, read_records(study), study) == html
    # The order in which sets hand out strings.
    assert run_without_frameworks(RENDER, str(study), PYTHONHASHSEED="1") == html
