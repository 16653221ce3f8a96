"""The live page as a file: what it holds, what it is made of, and that it asks for nothing."""

import base64
import hashlib
import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest

from experiments.__main__ import CATALOGUE
from experiments.manolucos import WIDE
from experiments.mansilla import BASE, CLASSIFIER_FULL
from keras_fmnist.cli.commands.report import write_report
from keras_fmnist.records.record import read_records
from keras_fmnist.reporting.build import LIVE
from keras_fmnist.reporting.page import bilingual, nets
from keras_fmnist.reporting.page.render import render_live, render_page
from keras_fmnist.specs import override
from tests.helpers.repository import ROOT

STUDY = ROOT / "results"
MOST_BYTES = 8_000_000


@pytest.fixture(scope="module")
def html():
    return render_live(CATALOGUE, read_records(STUDY), STUDY)


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
    folder = ROOT / "keras_fmnist" / "reporting" / "page"
    paths = [folder / "shell.js", *sorted((folder / "live").glob("*.js"))]
    assert len(paths) > 10
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


def test_every_script_of_the_folder_is_in_the_page(html):
    for path in (ROOT / "keras_fmnist" / "reporting" / "page" / "live").glob("*.js"):
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
    folder = ROOT / "keras_fmnist" / "reporting" / "page" / "live" / "vendor"
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
    records = {r.id: r for r in read_records(STUDY) if r.seed == 0}
    for net in held["classifiers"]:
        assert len(net["dead"]) == records[net["id"]].metrics["dead_logits"]


def test_the_same_records_give_the_same_bytes_and_need_no_framework(html):
    script = """
import sys
for name in ("keras", "torch", "jax", "tensorflow", "sklearn"):
    sys.modules[name] = None  # an import of it fails
from experiments.__main__ import CATALOGUE
from keras_fmnist import page, results
html = page.render_live(CATALOGUE, results.read_all(sys.argv[1]), sys.argv[1])
sys.stdout.buffer.write(html.encode())
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(STUDY)],
        env={**os.environ, "PYTHONHASHSEED": "1"},
        stdout=subprocess.PIPE,
        check=True,
        cwd=ROOT,
        timeout=120,
    )
    assert done.stdout.decode() == html


def test_the_first_page_leads_to_the_live_one_where_there_is_one(tmp_path):
    records = read_records(STUDY)
    assert 'href="live.html"' in render_page(CATALOGUE, records, STUDY)
    assert 'href="live.html"' not in render_page(CATALOGUE, [], tmp_path)
    assert render_live(CATALOGUE, records, tmp_path) is None


def test_a_live_page_that_nothing_gives_is_named_and_removed(tmp_path, capsys):
    stray = tmp_path / LIVE
    stray.write_text("old")
    with pytest.raises(RuntimeError):
        write_report(CATALOGUE, str(tmp_path), check=True)
    assert f"{stray} belongs to no record" in capsys.readouterr().out
    write_report(CATALOGUE, str(tmp_path))
    assert not stray.exists()


def value_of(store, name):
    entry = store.entries[name]
    return np.frombuffer(base64.b64decode(entry["data"]), entry["type"]).reshape(entry["shape"])


def test_a_batch_norm_is_folded_into_its_convolution():
    rng = np.random.default_rng(0)
    arrays = {
        "encoder/conv1/kernel": rng.normal(size=(3, 3, 1, 4)),
        "encoder/conv1/bias": rng.normal(size=4),
        **{f"encoder/bn1/{name}": rng.normal(size=4) for name in ("gamma", "beta", "moving_mean")},
        "encoder/bn1/moving_variance": rng.uniform(0.5, 2, 4),
    }
    arrays = {name: array.astype(np.float32) for name, array in arrays.items()}
    kernel, bias = nets._folded(arrays, 1, batchnorm=True)
    window = rng.normal(size=(3, 3, 1))
    plain = np.einsum("ijc,ijco->o", window, arrays["encoder/conv1/kernel"])
    plain += arrays["encoder/conv1/bias"]
    gamma, beta, mean, variance = (
        arrays[f"encoder/bn1/{name}"]
        for name in ("gamma", "beta", "moving_mean", "moving_variance")
    )
    expected = gamma * (plain - mean) / np.sqrt(variance + 1e-5) + beta
    folded = np.einsum("ijc,ijco->o", window, kernel) + bias
    np.testing.assert_allclose(folded, expected, rtol=1e-4)


def test_a_number_that_16_bits_do_not_hold_is_refused():
    store = nets.Store()
    name = store.add(np.array([1.5, -65504], np.float32))
    assert value_of(store, name).tolist() == [1.5, -65504]
    for value in (70_000, np.inf, np.nan):
        with pytest.raises(ValueError, match="does not fit into 16 bits"):
            store.add(np.array([value], np.float32))


def steps_of(spec, arrays):
    return [step["op"] for step in nets.encoder(spec, arrays, nets.Store(), spec.dropout)]


@pytest.mark.parametrize(
    ("place", "inner"),
    [
        ("before_pooling", ["dropout", "max_pool"]),
        ("after_pooling", ["max_pool", "dropout"]),
        ("both", ["dropout", "max_pool", "dropout"]),
    ],
)
def test_dropout_stands_where_the_spec_has_it(place, inner):
    spec = override(BASE, {"dropout_at": place})
    arrays = {
        f"encoder/{layer}/{part}": np.zeros(1, np.float32)
        for layer in ("conv1", "conv2", "latent")
        for part in ("kernel", "bias")
    }
    block = ["conv", "relu", *inner]
    assert steps_of(spec, arrays) == [*block, *block, "flatten", "dense", "relu", "dropout"]


def test_a_classifier_without_dropout_in_its_encoder_drops_nothing():
    spec = override(CLASSIFIER_FULL, {"encoder_dropout": False, "relu_logits": False})
    arrays = {
        f"{layer}/{part}": np.zeros(1, np.float32)
        for layer in ("encoder/conv1", "encoder/conv2", "encoder/latent", "logits")
        for part in ("kernel", "bias")
    }
    steps = nets.classifier(spec, arrays, nets.Store())
    assert {step["rate"] for step in steps if step["op"] == "dropout"} == {0}
    assert steps[-1]["op"] == "dense"


def test_a_dilated_layer_is_a_dense_one_that_is_cropped_and_spread():
    arrays = {
        f"decoder/{layer}/{part}": np.zeros(1, np.float32)
        for layer in ("deconv1", "deconv2")
        for part in ("kernel", "bias")
    }
    unflatten, first, relu, second, last = nets.decoder(WIDE, arrays, nets.Store())
    assert unflatten == {"op": "unflatten", "shape": [96, 5, 5]}
    assert {k: first[k] for k in ("stride", "crop", "spread", "output_padding")} == {
        **{"stride": 1, "crop": 1, "spread": 2, "output_padding": 0}
    }
    assert (relu["op"], second["op"], last["op"]) == ("relu", "deconv", "tanh_to_unit")
