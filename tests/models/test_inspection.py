"""The layer table: positions that no input reaches, what training mode changes, dead numbers."""

import keras
import numpy as np
import pytest
from keras import layers

from experiments.manolucos import BASELINE, BASELINE_REPAIRED, WIDE
from experiments.mansilla import BASE, CLASSIFIER_FULL
from keras_fmnist import seeds
from keras_fmnist.models import inspection, networks, weights
from keras_fmnist.specs import override

# (spec, changes, layer): positions that hold the bias alone, and all of them
GEOMETRIES = {
    "base, first": (BASE, {}, "deconv1", 13**2 - 12**2, 13**2),
    "base, second": (BASE, {}, "deconv2", 28**2 - 27**2, 28**2),
    "base, second as k4s2": (BASE, {"deconv2": "k4s2"}, "deconv2", 0, 28**2),
    "baseline, first": (BASELINE, {}, "deconv1", 120, 169),
    "baseline, second": (BASELINE, {}, "deconv2", 0, 28**2),
    "baseline_repaired, first": (BASELINE_REPAIRED, {}, "deconv1", 0, 169),
    "baseline_repaired, second": (BASELINE_REPAIRED, {}, "deconv2", 0, 28**2),
}
by_geometry = pytest.mark.parametrize(
    ("spec", "changes", "name", "alone", "positions"), GEOMETRIES.values(), ids=GEOMETRIES
)


def build(*stack, shape=(8, 8, 1)):
    return keras.Sequential([keras.Input(shape), *stack])


def gaps(model, images, batch_size=100):
    return {row.name: row.gap for row in inspection.measure_layers(model, images, batch_size)}


@pytest.fixture
def images(dataset):
    return dataset.test_images.astype(np.float32) / 255


@pytest.mark.portable
@by_geometry
def test_positions_that_hold_the_bias_alone_are_counted(spec, changes, name, alone, positions):
    layer = networks.decoder(override(spec, changes)).get_layer(name)
    assert inspection.count_bias_alone(layer, layer.input.shape[1:]) == (alone, positions)


@by_geometry
def test_as_many_positions_stay_the_same_whatever_comes_in(spec, changes, name, alone, positions):
    layer = networks.decoder(override(spec, changes)).get_layer(name)
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(20, *layer.input.shape[1:])).astype(np.float32)
    outputs = keras.ops.convert_to_numpy(layer(inputs))
    still = (outputs == outputs[:1]).all(axis=(0, 1))  # torch: channels first
    assert (still.sum(), still.size) == (alone, positions)
    bias = keras.ops.convert_to_numpy(layer.bias)
    assert (outputs[:, :, still] == bias[:, None]).all()


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (layers.Conv2DTranspose(3, 1, strides=3), (24**2 - 8**2, 24**2)),
        (layers.Conv2DTranspose(3, 1, strides=3, activation="sigmoid"), (24**2 - 8**2, 24**2)),
        (layers.Conv2DTranspose(3, 3, strides=3), (0, 24**2)),
        (layers.Conv2DTranspose(3, 1, strides=3, use_bias=False), (24**2 - 8**2, 24**2)),
        (layers.Conv2D(3, 3, padding="same"), (0, 8**2)),
        (layers.Conv2D(3, 3, activation="softmax", bias_initializer="ones"), (0, 6**2)),
        (layers.DepthwiseConv2D(3), (0, 6**2)),
        (layers.MaxPooling2D(2), (None, None)),
        (layers.Flatten(), (None, None)),
    ],
    ids=[
        "gaps",
        "gaps and a sigmoid",
        "none",
        "no bias",
        "padded",
        "softmax",
        "depthwise",
        "pooling",
        "flat",
    ],
)
def test_any_convolution_is_counted_and_nothing_else(layer, expected):
    build(layer, shape=(8, 8, 2))
    assert inspection.count_bias_alone(layer, layer.input.shape[1:]) == expected


def test_rows_name_every_layer_with_its_shape_and_parameters(images):
    rows = inspection.measure_layers(networks.build(BASE), images[:2], 2)
    found = {row.name: (row.shape, row.parameters) for row in rows}
    assert len(found) == len(rows) == 23
    assert list(found)[1:5] == [
        f"encoder.{name}" for name in ("conv1", "conv1_relu", "conv1_dropout", "pool1")
    ]
    assert found["encoder.conv2"] == ((32, 11, 11), 32 * 16 * 9 + 32)
    assert found["encoder.latent_dropout"] == ((64,), 0)
    assert found["decoder.deconv2"] == ((1, 28, 28), 16 * 9 + 1)
    assert sum(row.parameters for row in rows) == 116_417
    rows = inspection.measure_layers(networks.build(CLASSIFIER_FULL), images[:2], 2)
    assert [row.name for row in rows][-3:] == ["encoder.latent_dropout", "logits", "logits_relu"]
    assert sum(row.parameters for row in rows) == 56_714


@pytest.mark.portable
def test_max_pooling_after_dropout_inflates_and_average_pooling_does_not():
    ones = np.ones((500, 8, 8, 1), np.float32)
    net = build(layers.Dropout(0.5, name="drop"), layers.MaxPooling2D(name="pool"))
    # One of four that is kept is enough for a maximum of 2.
    assert gaps(net, ones) == pytest.approx({"drop": 1, "pool": 2 * (1 - 0.5**4)}, rel=0.02)
    net = build(layers.Dropout(0.5, name="drop"), layers.AveragePooling2D(2, name="pool"))
    assert gaps(net, ones) == pytest.approx({"drop": 1, "pool": 1}, rel=0.02)


def test_the_gap_compares_magnitudes_over_all_images():
    signs = np.where(np.arange(64).reshape(8, 8, 1) % 2, 1, -1)
    images = (signs * np.arange(1, 8).reshape(-1, 1, 1, 1)).astype(np.float32)
    # Around zero in evaluation; batches of 3, 3 and 1 images have the spreads of 1, 2, 3 and so on.
    net = build(layers.BatchNormalization(epsilon=0, name="norm"))
    sizes = np.arange(1, 8)
    spreads = [np.sqrt((sizes[part] ** 2).mean()) for part in (np.s_[:3], np.s_[3:6], np.s_[6:])]
    expected = (6 / spreads[0] + 15 / spreads[1] + 7 / spreads[2]) / sizes.sum()
    assert gaps(net, images, 3)["norm"] == pytest.approx(expected, rel=1e-4)


def test_without_dropout_and_batch_norm_there_is_no_gap(images):
    still = gaps(networks.build(override(BASE, {"dropout": 0})), images[:9], 4)
    assert len(still) == 23
    assert set(still.values()) == {1.0}


@pytest.mark.portable
def test_measuring_leaves_weights_and_statistics_as_they_are(images):
    model = networks.build(override(WIDE, {"kernels": (2, 3), "dropout": 0.2}))
    before = weights.digest(weights.get_arrays(model))
    once = inspection.measure_layers(model, images[:20], 10, seed=1)
    assert weights.digest(weights.get_arrays(model)) == before
    assert inspection.measure_layers(model, images[:20], 10, seed=1) == once
    assert inspection.measure_layers(model, images[:20], 10, seed=2) != once
    assert {row.name: row.gap for row in once}["encoder.bn1"] != 1


@pytest.mark.portable
def test_measuring_leaves_the_generators_of_dropout_as_they_are(images):
    model = networks.build(BASE)
    seeds.seed_dropout(model, 3, 1)
    before = seeds.generator_states(model)
    inspection.measure_layers(model, images[:4], 2)
    after = seeds.generator_states(model)
    assert before.keys() == after.keys() != set()
    for name, state in before.items():
        np.testing.assert_array_equal(state, after[name])


def test_what_is_zero_throughout_has_no_gap():
    net = build(layers.Dropout(0.5), layers.Conv2D(1, 1, kernel_initializer="zeros", name="zero"))
    assert gaps(net, np.ones((5, 8, 8, 1), np.float32))["zero"] == 1
    assert inspection.divide_magnitudes(2.0, 0.0) == float("inf")
    assert inspection.divide_magnitudes(2.0, 4.0) == 0.5


def residual(shape=(8, 8, 1)):
    """A net with a branch: dropout reaches the maximum beside what a convolution mixes."""
    image = keras.Input(shape)
    dropped = layers.Dropout(0.5, name="drop")(image)
    mixed = layers.Conv2D(1, 3, padding="same", name="mix")(image)
    summed = layers.Add(name="sum")([dropped, mixed])
    return keras.Model(image, layers.GlobalMaxPooling2D(name="top")(summed))


def test_a_net_with_branches_is_measured_in_the_order_of_its_calls():
    rows = inspection.measure_layers(residual(), np.ones((300, 8, 8, 1), np.float32), 100)
    assert [row.name for row in rows] == ["drop", "mix", "sum", "top"]
    assert {row.name: row.before for row in rows}["sum"] == ("drop", "mix")
    assert [row.positions for row in rows] == [None, 64, None, None]
    assert rows[0].gap == pytest.approx(1, rel=0.02)


def test_a_net_of_two_inputs_is_measured():
    one, other = keras.Input((2,), name="one"), keras.Input((3,), name="other")
    joined = layers.Concatenate(name="joined")([one, other])
    model = keras.Model({"one": one, "other": other}, layers.Dense(1, name="end")(joined))
    images = {"one": np.ones((5, 2), np.float32), "other": np.ones((5, 3), np.float32)}
    rows = inspection.measure_layers(model, images, 2)
    assert [(row.name, row.shape, row.parameters) for row in rows] == [
        ("joined", (5,), 0),
        ("end", (1,), 6),
    ]


@pytest.mark.portable
@pytest.mark.parametrize("fused", [True, False], ids=["in the layer", "a layer of its own"])
@pytest.mark.parametrize("layout", ["channels_last", "channels_first"])
def test_a_channel_is_dead_where_it_is_zero_everywhere_for_every_image(layout, fused):
    if layout == "channels_first" and keras.backend.backend() == "tensorflow":
        pytest.skip("TensorFlow has no such convolution on a CPU")
    activation = "relu" if fused else None
    conv = layers.Conv2D(3, 1, activation=activation, data_format=layout, name="conv")
    shape = (8, 8, 1) if layout == "channels_last" else (1, 8, 8)
    net = build(conv, *([] if fused else [layers.ReLU(name="relu")]), shape=shape)
    conv.set_weights([np.float32([[[[1, -1, 1]]]]), np.float32([0, 0, -3])])
    images = np.zeros((3, *shape), np.float32)
    images[1].flat[0] = 4  # the last channel lives at one position of one image
    row = inspection.measure_layers(net, images, 2)[-1]
    assert (row.dead, row.units) == (1, 3)
    row = inspection.measure_layers(net, images[:1], 2)[-1]
    assert (row.dead, row.units) == (3, 3)


def test_units_without_a_relu_are_not_counted():
    rows = inspection.measure_layers(
        build(layers.Dense(2, "sigmoid"), layers.Dense(2), shape=(3,)), np.ones((2, 3)), 2
    )
    assert [(row.dead, row.units) for row in rows] == [(None, None)] * 2


def test_dead_is_what_is_zero_for_every_image():
    dense = layers.Dense(4, activation="relu", name="code")
    net = build(dense, shape=(2,))
    # Never, for one image of three, for none of them because of the bias, and always dead.
    dense.set_weights([np.float32([[1, 1, 0, -1], [1, -1, 0, -1]]), np.float32([0, 0, 1, 0])])
    images = np.float32([[0, 1], [1, 0], [1, 1]])
    assert inspection.count_dead(net, images) == (1, 4)
    assert inspection.count_dead(net, images[[0, 2]]) == (2, 4)


def test_dead_numbers_of_a_map_are_counted_one_by_one():
    net = build(layers.ZeroPadding2D(1), shape=(2, 2, 3))
    assert inspection.count_dead(net, np.ones((2, 2, 2, 3), np.float32)) == (3 * 12, 3 * 16)
