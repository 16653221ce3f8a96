"""PyTorchAdam beside torch.optim.Adam: the same gradients must give the same steps."""

import keras
import numpy as np
import pytest
import torch

from keras_fmnist.training.optimizers import PyTorchAdam

STEPS = 20
CHANGE = 10  # the step from which the learning rate is another
RATES = (1e-3, 3e-4)
# Two units in the last place of the largest weight, 0.2: both sides round after every step.
EXACT = 3e-8


@pytest.fixture(scope="module")
def start():
    return np.random.default_rng(0).uniform(-0.2, 0.2, (30, 40)).astype(np.float32)


@pytest.fixture(scope="module")
def gradients(start):
    """A gradient a step; its elements reach from 1e-9 to 10, and some are zero."""
    rng = np.random.default_rng(1)
    scale = 10 ** rng.uniform(-9, 1, start.shape)
    scale[0, :5] = 0
    return [(scale * rng.normal(size=start.shape)).astype(np.float32) for _ in range(STEPS)]


def keras_path(optimizer, start, gradients):
    """The weights after each step."""
    variable = keras.Variable(start)
    optimizer.build([variable])
    path = []
    for step, gradient in enumerate(gradients):
        optimizer.learning_rate = RATES[step >= CHANGE]
        optimizer.apply([keras.ops.convert_to_tensor(gradient)])
        path.append(np.array(keras.ops.convert_to_numpy(variable)))
    return np.array(path)


@pytest.fixture(scope="module")
def torch_path(start, gradients):
    parameter = torch.nn.Parameter(torch.from_numpy(start.copy()))
    optimizer = torch.optim.Adam([parameter], RATES[0])
    path = []
    for step, gradient in enumerate(gradients):
        optimizer.param_groups[0]["lr"] = RATES[step >= CHANGE]
        parameter.grad = torch.from_numpy(gradient.copy())
        optimizer.step()
        path.append(parameter.detach().numpy().copy())
    return np.array(path)


@pytest.mark.portable
def test_every_step_is_pytorchs_and_a_new_learning_rate_takes_effect(start, gradients, torch_path):
    ours = keras_path(PyTorchAdam(RATES[0]), start, gradients)
    assert np.abs(ours - torch_path).max() <= EXACT
    np.testing.assert_array_equal(ours[-1][0, :5], start[0, :5])  # no gradient, no step


@pytest.mark.portable
@pytest.mark.parametrize("epsilon", [1e-8, 1e-7])
def test_stock_adam_is_off_by_more_than_half_a_step_whatever_its_epsilon(
    start, gradients, torch_path, epsilon
):
    stock = keras_path(keras.optimizers.Adam(RATES[0], epsilon=epsilon), start, gradients)
    assert np.abs(stock - torch_path)[0].max() > RATES[0] / 2
    assert np.abs(stock - torch_path)[-1].max() > RATES[0]


@pytest.mark.portable
def test_the_first_step_on_a_gradient_as_small_as_epsilon_is_half_the_learning_rate():
    # √v̂ = |g| at first, so a step is lr · g / (|g| + ε): lr / 2 where |g| = ε.
    def first_step(optimizer):
        variable = keras.Variable(np.zeros(2, np.float32))
        optimizer.build([variable])
        optimizer.apply([keras.ops.convert_to_tensor(np.float32([1e-8, -1e-8]))])
        return keras.ops.convert_to_numpy(variable)

    np.testing.assert_allclose(first_step(PyTorchAdam(0.5)), [-0.25, 0.25], rtol=1e-5)
    # Keras adds ε to √v = |g| · √0.001 before the correction: lr · √0.001 / (√0.001 + 1).
    stock = first_step(keras.optimizers.Adam(0.5, epsilon=1e-8))
    np.testing.assert_allclose(stock, [-0.01533, 0.01533], rtol=1e-3)


@pytest.mark.portable
def test_its_settings_make_the_same_optimizer_again():
    assert PyTorchAdam().get_config()["epsilon"] == 1e-8
    optimizer = PyTorchAdam(2e-3, epsilon=1e-6, beta_1=0.8, beta_2=0.99)
    config = optimizer.get_config()
    named = {"epsilon": 1e-6, "beta_1": 0.8, "beta_2": 0.99}
    assert {name: config[name] for name in named} == named
    assert config["learning_rate"] == pytest.approx(2e-3)
    again = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert type(again) is PyTorchAdam
    assert again.get_config() == config


def linear(kernel):
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3, name="dense")])
    model.layers[0].set_weights([kernel, np.zeros(3, np.float32)])
    return model


@pytest.fixture(scope="module")
def regression():
    """Inputs, one of them 1e-6 of the others, targets, and a kernel to start from."""
    rng = np.random.default_rng(2)
    inputs = (rng.normal(size=(40, 6)) * [1, 1, 1, 1, 1, 1e-6]).astype(np.float32)
    targets = rng.normal(size=(40, 3)).astype(np.float32)
    return inputs, targets, rng.normal(0, 0.3, (6, 3)).astype(np.float32)


@pytest.mark.portable
@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.0, 0.999)])
def test_fit_trains_a_compiled_model_as_pytorch_does(regression, betas):
    inputs, targets, kernel = regression
    model = linear(kernel)
    model.compile(PyTorchAdam(0.01, beta_1=betas[0], beta_2=betas[1]), "mse")
    model.fit(inputs, targets, batch_size=10, epochs=3, shuffle=False, verbose=0)

    layer = torch.nn.Linear(6, 3)
    layer.load_state_dict({"weight": torch.from_numpy(kernel.T.copy()), "bias": torch.zeros(3)})
    optimizer = torch.optim.Adam(layer.parameters(), 0.01, betas)
    for step in range(12):
        rows = slice(step % 4 * 10, step % 4 * 10 + 10)
        optimizer.zero_grad()
        outputs = layer(torch.from_numpy(inputs[rows]))
        torch.nn.functional.mse_loss(outputs, torch.from_numpy(targets[rows])).backward()
        optimizer.step()
    ours, bias = model.layers[0].get_weights()
    theirs = layer.weight.detach().numpy().T
    # The last row's gradients, 1e-6 and less, are differences of larger numbers: 1e-3 of a step.
    np.testing.assert_allclose(ours[:-1], theirs[:-1], atol=1e-6)
    np.testing.assert_allclose(ours[-1], theirs[-1], atol=1e-5)
    np.testing.assert_allclose(bias, layer.bias.detach().numpy(), atol=1e-6)
    assert np.abs(ours - kernel).min() > 0.001


@pytest.mark.portable
def test_a_saved_model_goes_on_as_if_it_had_not_been_saved(regression, tmp_path):
    inputs, targets, kernel = regression
    model = linear(kernel)
    model.compile(PyTorchAdam(0.01, epsilon=1e-6), "mse")
    model.train_on_batch(inputs, targets)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.optimizer) is PyTorchAdam
    assert loaded.optimizer.get_config() == model.optimizer.get_config()
    for either in (model, loaded):
        either.train_on_batch(inputs, targets)
    assert int(loaded.optimizer.iterations) == 2
    for ours, theirs in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-7)
