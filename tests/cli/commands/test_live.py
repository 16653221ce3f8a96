"""live at the command line: what it leaves beside the records."""

import dataclasses

import numpy as np

from experiments.__main__ import CATALOGUE
from experiments.mansilla import BASE, CLASSIFIER_FULL
from keras_fmnist import data
from keras_fmnist.claims.catalogue import Live
from keras_fmnist.cli import app
from keras_fmnist.cli.menu import build_menu
from keras_fmnist.inference import live_data
from keras_fmnist.records.record import read_records


def test_the_command_leaves_its_measurements_beside_the_records(
    studied, dataset, monkeypatch, capsys
):
    catalogue = dataclasses.replace(CATALOGUE, live=Live((CLASSIFIER_FULL,), (BASE,)))
    monkeypatch.setattr(data, "load", lambda: dataset)
    monkeypatch.setattr(live_data, "COMPONENTS", 20)  # 190 images span no more than 189
    for name in ("CUDA_VISIBLE_DEVICES", "KERAS_TORCH_DEVICE"):  # the command sets them
        monkeypatch.setenv(name, "cpu" if name.startswith("KERAS") else "")
    path = live_data.locate_live_data(studied)
    try:
        assert app.main(build_menu(catalogue), "keras-fmnist", ["live", "--out", str(studied)]) == 0
        assert capsys.readouterr().out == f"{path}\n"
        found = live_data.find_live_data(studied, (CLASSIFIER_FULL, BASE), read_records(studied))
    finally:
        path.unlink(missing_ok=True)
    assert found.nets.keys() == {CLASSIFIER_FULL.id, BASE.id}
    np.testing.assert_array_equal(
        found.arrays["images"], dataset.test_images[found.arrays["rows"], ..., 0]
    )
