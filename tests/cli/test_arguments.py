"""Arguments: what each kind takes, and what is said of the rest."""

import importlib.util
import itertools

import pytest

from keras_fmnist.cli.arguments import TRACKERS, check_tracker
from keras_fmnist.settings import SpecError
from tests.helpers.folders import list_folder


@pytest.mark.parametrize(
    ("line", "missing", "extra"),
    [
        ("export mansilla/base --format onnx", "onnx", "onnx"),
        ("export mansilla/base --target net.onnx", "onnxruntime", "onnx"),
        ("mansilla base --track mlflow", "mlflow", "mlflow"),
        ("mansilla base --track mlflow", "alembic", "mlflow"),
        ("mansilla all --track tensorboard", "tensorboard", "tensorboard"),
    ],
)
def test_what_is_not_installed_is_one_line_with_the_extra_that_has_it(
    run_line, tmp_path, monkeypatch, line, missing, extra
):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    wanted = {"onnx", "onnxruntime", *itertools.chain(*TRACKERS.values())}
    real = importlib.util.find_spec

    def find_spec(name):
        return (None if name == missing else name) if name in wanted else real(name)

    monkeypatch.setattr("importlib.util.find_spec", find_spec)
    before = list_folder(tmp_path)
    message = f"{missing} is not installed: pip install 'keras-fmnist[{extra}]'"
    assert run_line(line) == (2, "", f"keras-fmnist: {message}\n")
    assert list_folder(tmp_path) == before


def test_a_folder_whose_name_mlflow_would_cut_is_refused(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    check_tracker("mlflow", "runs#1")
    with pytest.raises(SpecError, match=r"out what\?x: mlflow takes no path with a question mark"):
        check_tracker("mlflow", "what?x")
