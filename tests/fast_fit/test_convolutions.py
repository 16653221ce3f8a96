"""Convolutions computed another way: the numbers of stock Keras but for rounding."""

import functools

import keras
import numpy as np
import pytest
import torch
from keras import layers

from keras_fmnist import fast_fit
from keras_fmnist.fast_fit import masks, patch_norms, patches, transposed
from keras_fmnist.models.layers import PyTorchConv2DTranspose

pytestmark = pytest.mark.filterwarnings("error:.*runs as stock Keras", "error:replaying without")
FIRST = {"data_format": "channels_first"}


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Nets this small gain nothing from threads and lose much beside another process."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def calls(monkeypatch):
    """The names of the functions that stand for others, as often as they run."""
    seen = []
    for module, name in (
        (patches, "pool_convolution"),
        (patches, "pool_convolution_backward"),
        (patch_norms, "normalize_kernels"),
        (transposed, "add_up"),
    ):
        monkeypatch.setattr(module, name, _counted(getattr(module, name), seen))
    return seen


def _counted(function, seen):
    @functools.wraps(function)
    def count(*args):
        if not isinstance(args[0], torch._subclasses.FakeTensor):
            seen.append(function.__name__)
        return function(*args)

    return count


# -- whole models ---------------------------------------------------------------------------------


def image(channels=1, side=14):
    return keras.Input((channels, side, side))


def pooled(x, *middle, kernel=3, pool=2):
    x = layers.Conv2D(6, kernel, **FIRST)(x)
    for layer in middle:
        x = layer(x)
    return layers.MaxPooling2D(pool, **FIRST)(x)


def norm():
    return layers.BatchNormalization(axis=1, momentum=0.8)


def decoded(x, *middle):
    x = layers.Conv2DTranspose(5, 4, 2, output_padding=1, **FIRST)(x)
    for layer in middle:
        x = layer(x)
    return layers.Conv2DTranspose(1, 3, 2, output_padding=1, **FIRST)(x)


POOL = ["pool_convolution", "pool_convolution_backward"]
NETS = {
    "relu": (lambda x: pooled(x, layers.ReLU()), POOL),
    "no relu": (lambda x: pooled(x), POOL),
    "batch norm": (lambda x: pooled(x, norm(), layers.ReLU()), ["normalize_kernels", *POOL]),
    "batch norm alone": (lambda x: pooled(x, norm()), ["normalize_kernels", *POOL]),
    "norm without scale": (
        lambda x: pooled(x, layers.BatchNormalization(axis=1, scale=False), layers.ReLU()),
        ["normalize_kernels", *POOL],
    ),
    "wide windows": (lambda x: pooled(x, layers.ReLU(), kernel=(2, 3), pool=(3, 2)), POOL),
    "windows that leave rows out": (lambda x: pooled(x, layers.ReLU(), kernel=4), POOL),
    "another convolution after it": (
        lambda x: layers.Conv2D(8, 3, activation="relu", **FIRST)(pooled(x, layers.ReLU())),
        POOL,
    ),
    "two blocks, one of odd sides": (
        lambda x: pooled(pooled(x, layers.ReLU()), layers.ReLU(), kernel=2, pool=(2, 3)),
        POOL,
    ),
    "two blocks without ReLU": (lambda x: pooled(pooled(x), kernel=2), POOL),
    "decoder": (lambda x: decoded(pooled(x, layers.ReLU()), layers.ReLU()), [*POOL, "add_up"]),
}
REFUSED = {
    "statistics of rows that are left out": lambda x: pooled(x, norm(), kernel=4),
    "overlapping windows": lambda x: layers.MaxPooling2D(3, 2, **FIRST)(
        layers.Conv2D(4, 3, **FIRST)(x)
    ),
    "padding": lambda x: layers.MaxPooling2D(2, **FIRST)(
        layers.Conv2D(4, 3, padding="same", **FIRST)(x)
    ),
    "another reader of the map": lambda x: _map_and_pooled(layers.Conv2D(4, 3, **FIRST)(x)),
    "a gradient of the images": lambda x: pooled(layers.Rescaling(2.0)(_scaled(x))),
}


def _map_and_pooled(x):
    return layers.Concatenate()(
        [layers.Flatten()(layers.MaxPooling2D(2, **FIRST)(x)), layers.Flatten()(x)]
    )


def _scaled(x):
    return layers.Dense(14)(x)  # trained, so that the convolution's input has a gradient


def train(build, path, steps=1, channels=1, optimizer=None, frozen=False):
    """Losses, evaluation, predictions and weights of a net, moving statistics among them."""
    keras.utils.set_random_seed(7)
    x = image(channels)
    body = keras.Model(x, build(x))
    body.trainable = not frozen
    model = keras.Model(x, layers.Dense(3)(layers.Flatten()(body(x))))
    model.compile(optimizer or keras.optimizers.SGD(0.01, momentum=0.9), "mse")
    if path != "stock":
        fast_fit.accelerate(model, exact=path == "exact")
    data = np.random.default_rng(1)
    images = data.random((8 * steps, channels, 14, 14), "float32")
    images[:, :, :4] = 0  # equal maxima, as a black background has them
    targets = data.random((8 * steps, 3), "float32")
    history = model.fit(images, targets, batch_size=8, shuffle=False, verbose=0).history["loss"]
    tested = model.evaluate(images, targets, batch_size=8, verbose=0)
    predicted = model.predict(images, batch_size=8, verbose=0)
    return history, tested, predicted, [(v.path, v.numpy().copy()) for v in model.variables]


def assert_close(one, other, rtol, atol):
    *numbers, weights = one
    *others, other_weights = other
    for a, b in zip(numbers, others, strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)
    for (name, a), (_, b) in zip(weights, other_weights, strict=True):
        if "seed" not in name:
            np.testing.assert_allclose(a, b, rtol=rtol, atol=atol, err_msg=name)


@pytest.mark.parametrize("name", NETS)
def test_one_step_and_an_evaluation_are_those_of_stock_keras(calls, name):
    build, expected = NETS[name]
    fast = train(build, "fast")
    assert set(calls) == set(expected)
    assert_close(fast, train(build, "stock"), rtol=1e-4, atol=2e-6)


@pytest.mark.parametrize("name", ["relu", "batch norm", "two blocks, one of odd sides", "decoder"])
def test_fifty_steps_stay_with_stock_keras_within_rounding(name):
    build, _ = NETS[name]
    assert_close(train(build, "fast", 50), train(build, "stock", 50), rtol=2e-3, atol=2e-4)


def test_three_channels_are_few_inputs_too(calls):
    build, _ = NETS["batch norm"]
    fast = train(build, "fast", channels=3)
    assert "normalize_kernels" in calls
    assert_close(fast, train(build, "stock", channels=3), rtol=1e-4, atol=2e-6)


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_products_do_not_compute_is_left_to_torch(calls, name):
    fast = train(REFUSED[name], "fast")
    assert not {"pool_convolution_backward", "normalize_kernels"} & set(calls)
    assert_close(fast, train(REFUSED[name], "stock"), rtol=1e-4, atol=2e-6)


@pytest.mark.parametrize("name", NETS)
def test_exact_steps_use_none_of_it_and_keep_every_bit(calls, name):
    build, _ = NETS[name]
    exact = train(build, "exact", 3)
    assert calls == []
    assert_close(exact, train(build, "stock", 3), rtol=0, atol=0)


@pytest.mark.parametrize("name", ["relu", "batch norm"])
def test_a_frozen_layer_runs_forward_alone_and_does_not_move(calls, name):
    build, _ = NETS[name]
    fast = train(build, "fast", frozen=True)
    assert "pool_convolution_backward" not in calls
    assert "pool_convolution" in calls
    assert_close(fast, train(build, "stock", frozen=True), rtol=1e-4, atol=2e-6)


def test_the_statistics_of_bright_images_do_not_cancel():
    images = 200 + torch.randn(16, 1, 14, 14)
    weight, bias = torch.randn(5, 1, 3, 3), torch.randn(5)
    _, _, mean, inverse, *_ = patch_norms.normalize_kernels(
        images, weight, bias, None, None, 1e-3, (2, 2)
    )
    maps = torch.conv2d(images.double(), weight.double(), bias.double())
    variance = maps.var((0, 2, 3), correction=0)
    torch.testing.assert_close(mean, maps.mean((0, 2, 3)).float(), rtol=1e-5, atol=1e-3)
    torch.testing.assert_close(inverse, (variance + 1e-3).rsqrt().float(), rtol=1e-4, atol=0)


def test_dropout_drops_before_pooling_and_scales():
    """With the masks that its random numbers make, the step is that of torch."""
    torch.manual_seed(0)
    images = torch.randn(4, 1, 10, 10)
    weight, bias = torch.randn(3, 1, 3, 3, requires_grad=True), torch.randn(3, requires_grad=True)
    lanes = masks.draw_lanes(4 * 3 * 8 * 8)
    with torch.no_grad():
        given, *saved = patches.pool_convolution(
            images, weight, bias, (2, 2), lanes, 0.6, True, True
        )
        gradient = torch.randn_like(given)
        gradients = patches.pool_convolution_backward(gradient, *saved, weight, (2, 2), 0.6, True)
    # A mask a corner, each (windows, kernels): put together to one of the whole map.
    mask = masks.keep_lanes_(torch.empty(len(lanes)), lanes, 0.6).view(2, 2, 4, 4, 4, 3)
    mask = mask.permute(2, 5, 3, 0, 4, 1).reshape(4, 3, 8, 8)
    maps = torch.conv2d(images, weight, bias).relu() * mask / 0.6
    expected = torch.nn.functional.max_pool2d(maps, 2)
    torch.testing.assert_close(given, expected)
    for ours, torchs in zip(
        gradients, torch.autograd.grad(expected, (weight, bias), gradient), strict=True
    ):
        torch.testing.assert_close(ours, torchs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("relu", [True, False])
def test_dropout_before_a_second_pooling_is_that_of_torch(monkeypatch, relu):
    """A step with the masks that it drew, beside torch's own; the last row is left out."""
    drawn = []

    def draw(out, keep):
        masks.draw_fast_mask_(out, keep)
        if not isinstance(out, torch._subclasses.FakeTensor):
            drawn.append(out.clone())
        return out

    keras.utils.set_random_seed(0)
    x = keras.Input((4, 12, 12))
    middle = [layers.ReLU()] if relu else []
    y = pooled(layers.Conv2D(40, 2, **FIRST)(x), *middle, layers.Dropout(0.4), kernel=3)
    model = keras.Model(x, y)
    model.compile(keras.optimizers.SGD(1.0), "mse")
    given = [torch.tensor(w.copy()).requires_grad_() for w in model.get_weights()]
    fast_fit.accelerate(model)
    images, targets = torch.randn(5, 4, 12, 12), torch.randn(5, 6, 4, 4)
    model.test_on_batch(images, targets)  # builds the metrics
    step = model.make_train_function()
    replay = step._replay_for((images, targets))
    module = replay._run.__self__
    for node in module.graph.nodes:
        if node.target is masks.draw_fast_mask_:
            node.target = draw
    module.recompile()
    with torch.no_grad():
        module(*replay._state, images, targets)
    maps = torch.conv2d(images, given[0].permute(3, 2, 0, 1), given[1])
    maps = torch.conv2d(maps, given[2].permute(3, 2, 0, 1), given[3])
    (mask,) = drawn
    assert mask.shape[2:] == ((8, 8) if relu else (9, 9))
    rows = mask.shape[2]
    maps = (maps.relu() if relu else maps)[:, :, :rows, :rows] * mask / 0.6
    loss = (torch.nn.functional.max_pool2d(maps, 2) - targets).square().mean()
    gradients = torch.autograd.grad(loss, given)
    for before, gradient, after in zip(given, gradients, model.get_weights(), strict=True):
        np.testing.assert_allclose(before.detach() - gradient, after, rtol=1e-4, atol=1e-6)


def test_dropout_in_a_model_has_its_rate():
    keras.utils.set_random_seed(0)
    x = image(side=42)
    share = layers.MaxPooling2D(1, **FIRST)
    conv = layers.Conv2D(2, 3, kernel_initializer="zeros", bias_initializer="ones", **FIRST)
    model = keras.Model(x, share(layers.Dropout(0.3)(layers.ReLU()(conv(x)))))
    model.compile(keras.optimizers.SGD(0.0), "mse", metrics=[_share_of_zeros, _largest])
    fast_fit.accelerate(model)
    images = np.zeros((40, 1, 42, 42), "float32")
    targets = np.zeros((40, 2, 40, 40), "float32")
    history = model.fit(images, targets, batch_size=20, verbose=0).history
    count = 40 * 2 * 40 * 40
    assert history["_share_of_zeros"][0] == pytest.approx(0.3, abs=4.5 * np.sqrt(0.21 / count))
    assert history["_largest"][0] == pytest.approx(1 / 0.7)


def _share_of_zeros(y_true, y_pred):
    return keras.ops.mean(keras.ops.cast(y_pred == 0, "float32"))


def _largest(y_true, y_pred):
    return keras.ops.max(y_pred)


# -- transposed convolutions ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings", [([2, 2], [0, 0], [0, 0]), ([2, 3], [1, 0], [1, 2]), ([4, 1], [1, 2], [0, 0])]
)
@pytest.mark.parametrize("with_bias", [True, False])
def test_adding_up_few_outputs_is_a_transposed_convolution(monkeypatch, settings, with_bias):
    monkeypatch.setattr(transposed, "_PIECE", 1000)  # several pieces
    maps, weight = torch.randn(7, 6, 5, 4), torch.randn(6, 2, 3, 5)
    bias = torch.randn(2) if with_bias else None
    stride, padding, output_padding = settings
    expected = torch.conv_transpose2d(maps, weight, bias, stride, padding, output_padding)
    ours = transposed.add_up(maps, weight, bias, stride, padding, output_padding)
    torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-5)


CROPS = {
    "output padding": lambda x: layers.Conv2DTranspose(3, 4, 2, output_padding=1, **FIRST)(x),
    "same": lambda x: layers.Conv2DTranspose(3, 3, 2, padding="same", **FIRST)(x),
    "cropping layer": lambda x: layers.Cropping2D(((1, 2), (2, 1)), **FIRST)(
        layers.Conv2DTranspose(3, 5, 3, **FIRST)(x)
    ),
    "zero padding layer": lambda x: layers.ZeroPadding2D(((2, 3), (1, 4)), **FIRST)(
        layers.Conv2DTranspose(3, 5, 2, use_bias=False, **FIRST)(x)
    ),
    "padding of PyTorch": lambda x: PyTorchConv2DTranspose(3, 6, 2, padding_size=1, **FIRST)(x),
}


@pytest.mark.parametrize("name", CROPS)
def test_crops_and_zeros_become_padding(name):
    def build(x):
        return CROPS[name](layers.Conv2D(4, 3, **FIRST)(x))

    assert_close(train(build, "fast", 3), train(build, "stock", 3), rtol=1e-4, atol=2e-6)
