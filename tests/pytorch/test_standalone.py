"""The source of a net in plain PyTorch, which needs nothing of this package."""

import ast
import sys

import numpy as np
import pytest

from experiments import manolucos
from experiments.assumptions import FIRST_CLASSIFIERS, FIRST_DEFAULT
from experiments.mansilla import BASE, CLASSIFIER_FULL
from keras_fmnist.models import networks, weights
from keras_fmnist.models.torch_weights import save_native, to_native
from keras_fmnist.pytorch.standalone import write_source
from tests.helpers.processes import run_python
from tests.helpers.source import find_libraries, imported_names

NETS = [
    *(BASE, CLASSIFIER_FULL),
    *(manolucos.BATCHNORM, manolucos.CLASSIFIER_FC_ADAM),
    *(FIRST_DEFAULT[manolucos.BASELINE], FIRST_CLASSIFIERS[manolucos.CLASSIFIER_FC_ADAM]),
]
# In a process that cannot import this package; `-P` keeps the working folder from being imported.
SCRIPT = """
import importlib, sys

class Refusal:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("keras_fmnist", "keras", "experiments"):
            raise ImportError(name)

sys.meta_path.insert(0, Refusal())
import numpy, torch

for name in sys.argv[1:]:
    net = importlib.import_module(name).load()
    with torch.no_grad():
        numpy.save(f"{name}.npy", net(torch.from_numpy(numpy.load("images.npy"))).numpy())
"""


def test_a_pytorch_user_loads_the_net_with_nothing_of_this_package(tmp_path, dataset):
    images = dataset.test_images[:4].astype(np.float32) / 255
    np.save(tmp_path / "images.npy", images.transpose(0, 3, 1, 2))
    expected = {}
    for k, spec in enumerate(NETS):
        model = networks.build(spec, seed=1)
        save_native(tmp_path / f"net{k}.pt", to_native(weights.get_arrays(model)))
        (tmp_path / f"net{k}.py").write_text(write_source(spec, f"net{k}"))
        outputs = model.predict(images, verbose=0)
        expected[f"net{k}"] = outputs.transpose(0, 3, 1, 2) if outputs.ndim == 4 else outputs
    done = run_python("-c", SCRIPT, *expected, cwd=tmp_path, packages=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    for name, outputs in expected.items():
        assert outputs.std() > 1e-3
        np.testing.assert_allclose(np.load(tmp_path / f"{name}.npy"), outputs, atol=1e-5, rtol=0)


@pytest.mark.parametrize("spec", NETS, ids=lambda spec: spec.id)
def test_the_source_imports_pytorch_alone_and_says_what_images_are(spec):
    source = write_source(spec, "net")
    tree = ast.parse(source)
    assert find_libraries(imported_names(tree)) - sys.stdlib_module_names == {"torch"}
    words = " ".join(ast.get_docstring(tree).split())
    assert f"black {spec.pixel_min:g} and white 1." in words
    assert ast.get_docstring(tree).count(spec.id) == 1
    assert max(map(len, source.splitlines())) <= 100
