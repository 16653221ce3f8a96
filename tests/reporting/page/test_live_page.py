"""The live page as a file: what it holds, what it is made of, and that it asks for nothing."""

import hashlib
import json
import os
import re
import subprocess
import sys

import pytest

from experiments.__main__ import CATALOGUE
from keras_fmnist.cli.commands.report import write_report
from keras_fmnist.records.record import read_records
from keras_fmnist.reporting.build import LIVE_PAGE
from keras_fmnist.reporting.page import bilingual
from keras_fmnist.reporting.page.render import render_live_page, render_page
from tests.helpers.live import PUBLISHED
from tests.helpers.published import read_seed_0
from tests.helpers.repository import ROOT

FOLDER = ROOT / "keras_fmnist" / "reporting" / "page"
MOST_BYTES = 8_000_000


@pytest.fixture(scope="module")
def html():
    return render_live_page(CATALOGUE, read_records(PUBLISHED), PUBLISHED)


@pytest.fixture(scope="module")
def held(html):
    """What the script reads."""
    return json.loads(re.search(r'id="nets">(.*?)</script>', html, re.S)[1])


def test_it_is_smaller_than_eight_megabytes(html):
    assert len(html.encode()) < MOST_BYTES


def test_nothing_is_asked_of_a_network_by_the_live_page(html):
    markup = re.sub(r"<(script|style)\b.*?</\1>", "", html, flags=re.S)
    links = re.findall(r'(\w+)[^<>]*?\b(?:src|href)="([^"]*)"', markup)
    assert len(links) > 6
    for tag, link in links:
        assert tag == "a"
        assert link.startswith(("#", "https://")) or link == "index.html"
    assert "default-src 'none'" in html
    assert "sourceMappingURL" not in html
    assert not re.search(r"\bfetch\(|XMLHttpRequest|WebSocket|importScripts", own_scripts())


def own_scripts():
    paths = [FOLDER / "shell.js", *sorted((FOLDER / "live").glob("*.js"))]
    assert len(paths) > 10
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


def test_every_script_of_the_folder_is_in_the_page(html):
    for path in (FOLDER / "live").glob("*.js"):
        assert path.read_text(encoding="utf-8") in html, path.name


def test_the_script_says_every_text_that_is_its_own_and_no_other():
    asked = set(re.findall(r'(?:say|note|NoPicture)\("(\w+)"', own_scripts()))
    asked |= set(re.findall(r'\? "(step_\w+)" : "(step_\w+)"', own_scripts())[0])
    there = {
        k.removeprefix("live_js_") for k in bilingual.text.templates if k.startswith("live_js_")
    }
    assert asked == there
    assert len(there) > 20


def test_the_engine_is_what_its_authors_published():
    folder = FOLDER / "live" / "vendor"
    listed = dict(re.findall(r"`([\w.-]+\.js)` \| `(\w{64})`", (folder / "README.md").read_text()))
    found = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.glob("*.js")}
    assert listed == found
    assert len(found) == 2
    assert "Apache License" in (folder / "LICENSE").read_text()


def test_an_array_that_two_nets_share_is_there_once(held):
    frozen, base = held["classifiers"][1], held["autoencoders"][0]
    shared = [step["kernel"] for step in base["encoder"] if "kernel" in step]
    assert [step["kernel"] for step in frozen["steps"] if "kernel" in step][:3] == shared
    full = held["classifiers"][0]
    assert not {step.get("kernel") for step in full["steps"]} & set(shared)


def test_dead_logits_are_those_that_the_records_count(held):
    for net in held["classifiers"]:
        assert len(net["dead"]) == read_seed_0(PUBLISHED, net["id"]).metrics["dead_logits"]


def test_the_same_records_give_the_same_bytes_and_need_no_framework(html):
    script = """
import sys
for name in ("keras", "torch", "jax", "tensorflow", "sklearn"):
    sys.modules[name] = None  # an import of it fails
from experiments.__main__ import CATALOGUE
from keras_fmnist.records.record import read_records
from keras_fmnist.reporting.page.render import render_live_page
html = render_live_page(CATALOGUE, read_records(sys.argv[1]), sys.argv[1])
sys.stdout.buffer.write(html.encode())
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(PUBLISHED)],
        env={**os.environ, "PYTHONHASHSEED": "1"},
        stdout=subprocess.PIPE,
        check=True,
        cwd=ROOT,
        timeout=120,
    )
    assert done.stdout.decode() == html


def test_the_first_page_leads_to_the_live_one_where_there_is_one(tmp_path):
    records = read_records(PUBLISHED)
    assert 'href="live.html"' in render_page(CATALOGUE, records, PUBLISHED)
    assert 'href="live.html"' not in render_page(CATALOGUE, [], tmp_path)
    assert render_live_page(CATALOGUE, records, tmp_path) is None


def test_a_live_page_that_nothing_gives_is_named_and_removed(
    tmp_path, make_record, put_record, capsys
):
    put_record(tmp_path, make_record(CATALOGUE.live.autoencoders[0]))
    stray = tmp_path / LIVE_PAGE
    stray.write_text("old")
    with pytest.raises(RuntimeError):
        write_report(CATALOGUE, out=str(tmp_path), check=True)
    assert f"{stray} belongs to no record" in capsys.readouterr().out
    write_report(CATALOGUE, out=str(tmp_path))
    assert not stray.exists()
