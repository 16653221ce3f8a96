"""A graph made to run: by itself, by inductor, and as a CUDA graph."""

import shutil

import keras
import numpy as np
import pytest
import torch
from keras import layers
from torch.fx.experimental.proxy_tensor import make_fx

from keras_fmnist import fast_fit
from keras_fmnist.fast_fit import runnable
from tests.fast_fit.test_tracing import dense_model
from tests.helpers.stock_and_replayed import IMAGES, LABELS, STRICT, build_classifier, fit


# -- devices --------------------------------------------------------------------------------------
@pytest.mark.skipif(shutil.which("g++") is None, reason="inductor compiles C++")
def test_inductor_gives_the_losses_of_the_graph():
    def train(inductor):
        keras.utils.set_random_seed(0)
        model = dense_model(layers.Dense(8, activation="relu"), layers.Dropout(0.5))
        fast_fit.accelerate(model, exact=True, inductor=inductor)
        data = torch.tensor(IMAGES[:32, :3, 0, 0]), torch.tensor(IMAGES[:32, :1, 1, 0])
        return fit(model, *data).history["loss"]

    np.testing.assert_allclose(train(True), train(False), rtol=1e-5)


pytestmark = STRICT


@pytest.mark.skipif(torch.cuda.is_available(), reason="the capture succeeds where there is a GPU")
@pytest.mark.filterwarnings("default")
def test_a_failing_capture_is_said_and_nothing_is_returned():
    module = make_fx(lambda x: [x + 1])(torch.zeros(2))
    with pytest.warns(UserWarning, match="replaying without CudaGraph"):
        assert runnable._try(runnable._CudaGraph, module, [], [torch.zeros(2)]) is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_cuda_graph_takes_the_steps_of_stock_keras():
    def scenario(path):
        model = build_classifier(path, rate=0.0)
        return model, fit(model, IMAGES, LABELS, epochs=5, shuffle=False).history["loss"]

    np.testing.assert_allclose(scenario("replayed")[1], scenario("stock")[1], rtol=1e-4)


def test_a_step_that_fails_on_copies_is_taken_as_stock(monkeypatch):
    """Nothing of it may have been written to the weights by then."""

    def fail(*_, **__):
        raise RuntimeError("no such kernel")

    model, stock = (build_classifier("stock", rate=0.0) for _ in range(2))
    monkeypatch.setattr(torch, "_fused_adam_", fail)
    with pytest.warns(UserWarning, match="runs as stock Keras: RuntimeError: no such kernel"):
        losses = fit(fast_fit.accelerate(model), IMAGES, LABELS, shuffle=False).history
    assert losses == fit(stock, IMAGES, LABELS, shuffle=False).history
