"""Runs that can be ended at a step."""

from types import SimpleNamespace

import pytest

from experiments.mansilla import BASE, CLASSIFIER_FROZEN, CLASSIFIER_FULL
from keras_fmnist.data.batches import Batches
from keras_fmnist.specs import override
from keras_fmnist.training import evaluation
from tests.helpers.folders import read_files
from tests.helpers.killed_runs import Run
from tests.helpers.train import train_spec


@pytest.fixture
def make(tmp_path, small):
    """`make(spec, name, …)`: a `Run` of two epochs of four steps."""

    def shrink(spec, name="run", changes=(), **settings):
        base = {"epochs": min(spec.epochs, 2), "batch_size": 30, **dict(changes)}
        return Run(override(spec, base), tmp_path / name, small, **settings)

    return shrink


@pytest.fixture(scope="session")
def whole(tmp_path_factory, small):
    """`base` as `make` makes it, run in one go."""
    spec = override(BASE, {"epochs": 2, "batch_size": 30})
    run = Run(spec, tmp_path_factory.mktemp("whole"), small)
    run()
    return run


@pytest.fixture(scope="session")
def chain(tmp_path_factory, dataset, tiny):
    """An autoencoder and the two classifiers on it, and which images each was given in training.

    The last evaluation batch holds a few images only, as the last training batch does. The logits
    have no ReLU, which on a head that was trained for a moment leaves little to compare.
    """
    out = tmp_path_factory.mktemp("chain")
    served, trained = {}, []

    class Watched(Batches):
        def __getitem__(self, index):
            if self.seed is not None:
                rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
                served.setdefault(trained[-1], []).append(rows.tolist())
            return super().__getitem__(index)

    def run(spec):
        trained.append(spec.name)
        return train_spec(spec, 0, out, dataset=dataset)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation, "EVALUATION_BATCH", 90)
        patch.setattr(evaluation, "Batches", Watched)
        base = run(tiny(BASE))
        before = read_files(out)
        full = run(tiny(CLASSIFIER_FULL, relu_logits=False))
        frozen = run(tiny(CLASSIFIER_FROZEN, relu_logits=False))
    return SimpleNamespace(
        out=out, base=base, full=full, frozen=frozen, before=before, served=served
    )
