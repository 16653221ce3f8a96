"""Warnings: each one where it belongs, and none where it does not."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import layers, losses

from experiments import manolucos, mansilla, transfer
from experiments.assumptions import FIRST_DEFAULT
from keras_fmnist.models import diagnostics, inspection, networks
from keras_fmnist.specs import override
from keras_fmnist.training.compile import build_loss

BOTH = FIRST_DEFAULT[manolucos.BASELINE]  # dropout before and after each pooling
SPECS = {s.id: s for s in (*mansilla.SPECS, *manolucos.SPECS, *transfer.SPECS, BOTH)}
UNREACHED, MAXIMUM, RELU = "hold the bias alone", "the maximum over", "a ReLU on the logits"
POOLS = [("encoder.pool1", MAXIMUM), ("encoder.pool2", MAXIMUM)]
BANDS = [("decoder.deconv1", UNREACHED), ("decoder.deconv2", UNREACHED)]
EXPECTED = {
    "mansilla/base": BANDS + POOLS,
    "mansilla/sgd": BANDS + POOLS,
    "mansilla/classifier_frozen": [*POOLS, ("logits_relu", RELU)],
    "manolucos/baseline": BANDS[:1] + POOLS,
    BOTH.id: BANDS[:1] + POOLS,
    "manolucos/baseline_repaired": POOLS,
    "manolucos/no_dropout": BANDS[:1],
    "manolucos/avg_pooling": BANDS[:1],
    "manolucos/wide_repaired": [],
    "manolucos/classifier_baseline": [],
    "transfer/random_head": [*POOLS, ("logits_relu", RELU)],
}


def sentences(model, loss, images, batch_size=100):
    return diagnostics.diagnose_net(
        model, loss, inspection.measure_layers(model, images, batch_size)
    )


def warned(spec, images):
    """`(layer, phrase)` of every warning about a spec's net."""
    found = []
    for sentence in sentences(networks.build(spec), build_loss(spec), images):
        assert sentence.count(". ") == 0, "one sentence, without a full stop"
        phrases = [phrase for phrase in (UNREACHED, MAXIMUM, RELU) if phrase in sentence]
        assert len(phrases) == 1, sentence
        found.append((sentence.split(":")[0], *phrases))
    return found


@pytest.fixture
def images(dataset):
    return dataset.test_images[:20].astype(np.float32) / 255


@pytest.mark.parametrize("name", EXPECTED)
def test_each_experiment_is_warned_of_what_it_does_and_of_nothing_else(name, images):
    assert warned(SPECS[name], images) == EXPECTED[name]


def test_settings_that_leave_a_pitfall_out_end_its_warning(images):
    base, head = SPECS["mansilla/base"], SPECS["mansilla/classifier_full"]
    assert warned(override(base, {"dropout": 0}), images) == BANDS
    kernel5 = override(base, {"deconv1": "k5s2", "deconv2": "k4s2"})
    assert warned(kernel5, images) == POOLS
    assert warned(override(base, {"last_pooling": "average"}), images) == BANDS + POOLS[:1]
    assert warned(override(head, {"relu_logits": False}), images) == POOLS
    assert warned(override(head, {"encoder_dropout": False}), images) == [("logits_relu", RELU)]


def test_bias_only_positions_are_told_with_their_number(images):
    told = sentences(networks.build(SPECS["manolucos/baseline"]), losses.MeanSquaredError(), images)
    assert told[0].startswith("decoder.deconv1: 120 of 169 positions hold the bias alone")


def test_a_maximum_answers_for_its_own_growth_and_not_for_what_came_before(images):
    model = networks.build(SPECS["mansilla/base"])
    rows = inspection.measure_layers(model, images, 100)
    gaps = {row.name: row.gap for row in rows}
    own = gaps["encoder.pool2"] / gaps["encoder.conv2_dropout"]
    assert own < 0.9 * gaps["encoder.pool2"]
    told = diagnostics.diagnose_net(model, losses.MeanSquaredError(), rows)[-1]
    assert f"encoder.conv2_dropout keeps and scales up is {own:.2f} times" in told


DROPOUT = layers.Dropout(0.5, name="drop")
POOL = layers.MaxPooling2D(name="pool")


@pytest.mark.parametrize(
    ("stack", "warns"),
    [
        ([DROPOUT, POOL], True),
        ([DROPOUT, layers.ReLU(), layers.Permute((2, 1, 3)), POOL], True),
        ([DROPOUT, keras.Sequential([POOL], name="inner")], True),
        ([DROPOUT, layers.Dropout(0), POOL], True),
        ([layers.Dropout(0, name="drop"), POOL], False),
        ([POOL, DROPOUT], False),
        ([DROPOUT, layers.Conv2D(1, 1), POOL], False),
        ([DROPOUT, layers.AveragePooling2D(2, name="average"), POOL], False),
        ([DROPOUT, layers.AveragePooling2D(2, name="pool")], False),
        ([layers.SpatialDropout2D(0.5, name="drop"), POOL], False),
    ],
    ids=[
        *("at once", "through a ReLU", "inside a net", "twice", "of nothing", "after it"),
        *("mixed by a convolution", "averaged first", "average", "of whole maps"),
    ],
)
def test_dropout_before_a_maximum_is_told_with_what_it_does(stack, warns):
    fresh = [type(layer).from_config(layer.get_config()) for layer in stack]
    net = keras.Sequential([keras.Input((8, 8, 1)), *fresh])
    told = sentences(net, losses.MeanSquaredError(), np.ones((400, 8, 8, 1), np.float32))
    assert len(told) == warns
    if warns:
        name = "inner.pool" if "inner" in stack[-1].name else "pool"
        words, number = told[0].split(" is ")
        assert words == f"{name}: the maximum over what drop keeps and scales up"
        # One of four that is kept is enough for a maximum of 2.
        assert float(number.split(" times")[0]) == pytest.approx(1.875, rel=0.02)


def test_dropout_is_found_through_a_branch_and_not_through_a_convolution():
    image = keras.Input((8, 8, 1))
    dropped = layers.Dropout(0.5, name="drop")(image)
    mixed = layers.Conv2D(1, 3, padding="same", name="mix")(dropped)
    beside = layers.Concatenate(name="beside")([image, keras.ops.abs(dropped)])
    net = keras.Model(
        image, [layers.GlobalMaxPooling2D(name=f"top_{x.name}")(x) for x in (mixed, beside)]
    )
    ones = np.ones((300, 8, 8, 1), np.float32)
    rows = inspection.measure_layers(net, ones, 100)
    (told,) = diagnostics.diagnose_net(net, None, rows)
    assert told.startswith(f"top_{beside.name}: the maximum over what drop keeps and scales up is")


def test_dead_units_are_told_with_their_number():
    dense = layers.Dense(3, "relu", name="code")
    net = keras.Sequential([keras.Input((1,)), dense, layers.Dense(2, "relu", name="alive")])
    dense.set_weights([np.float32([[1, -1, -1]]), np.float32([0, 0, 0])])
    net.layers[1].set_weights([np.ones((3, 2), np.float32), np.zeros(2, np.float32)])
    rows = inspection.measure_layers(net, np.ones((4, 1), np.float32), 2)
    assert diagnostics.diagnose_units(rows) == [
        "code: 2 of 3 units are 0 for every image, so they carry nothing and their weights have "
        "no gradient"
    ]


SPARSE, BINARY = losses.SparseCategoricalCrossentropy, losses.BinaryCrossentropy
SQUASHED = "before a cross entropy that squashes its logits itself"


@pytest.mark.parametrize(
    ("stack", "loss", "words"),
    [
        ([layers.Dense(3, "softmax")], SPARSE(from_logits=True), f"a softmax {SQUASHED}"),
        ([layers.Dense(3, "softmax")], SPARSE(from_logits=False), None),
        ([layers.Dense(3, "sigmoid")], BINARY(from_logits=True), f"a sigmoid {SQUASHED}"),
        ([layers.Dense(3, "sigmoid")], BINARY(from_logits=False), None),
        ([layers.Dense(3, "sigmoid")], SPARSE(from_logits=True), f"a sigmoid {SQUASHED}"),
        ([layers.Dense(3, "sigmoid")], losses.MeanSquaredError(), None),
        ([layers.Dense(3)], SPARSE(from_logits=True), None),
        ([layers.Dense(3, "tanh")], SPARSE(from_logits=True), None),
        ([layers.Dense(3), layers.Softmax()], SPARSE(from_logits=True), f"a softmax {SQUASHED}"),
        (
            [layers.Dense(3), layers.Activation("softmax"), layers.Reshape((3, 1))],
            losses.CategoricalCrossentropy(from_logits=True),
            f"a softmax {SQUASHED}",
        ),
        ([layers.Dense(3, "softmax"), layers.Dense(3)], SPARSE(from_logits=True), None),
        ([layers.Dense(3), layers.ReLU()], SPARSE(from_logits=True), RELU),
        ([layers.Dense(3, "relu"), layers.Dropout(0.5)], SPARSE(from_logits=True), RELU),
        ([layers.Dense(3, layers.ReLU())], SPARSE(from_logits=False), RELU),
        ([layers.Dense(3, "relu"), layers.Dense(3)], SPARSE(from_logits=True), None),
        ([layers.Dense(3, "relu")], losses.MeanSquaredError(), None),
        ([layers.Dense(3)], SPARSE(from_logits=False), "set from_logits=True"),
        ([layers.Dense(3)], losses.sparse_categorical_crossentropy, "set from_logits=True"),
        ([layers.Dense(3, "softmax")], losses.sparse_categorical_crossentropy, None),
        ([layers.Dense(3, "relu")], losses.categorical_crossentropy, RELU),
        ([layers.Dense(3)], losses.mean_squared_error, None),
        ([layers.Dense(3, "relu")], None, None),
    ],
)
def test_the_last_activation_must_fit_the_cross_entropy(stack, loss, words):
    inner = keras.Sequential([keras.Input((2,)), *stack])
    inputs = keras.Input((2,))
    for net in (inner, keras.Model(inputs, inner(inputs))):
        told = sentences(net, loss, np.ones((4, 2), np.float32))
        assert len(told) == (words is not None)
        assert all(words in sentence for sentence in told)


@pytest.mark.parametrize(
    ("name", "changes", "sentence"),
    [
        (
            "mansilla/base",
            {},
            "decoder.deconv2: the report prints k4s2o1, which turns 13 positions a side into 29, "
            "not 28; k3s2o1 is used instead",
        ),
        ("mansilla/latent_256", {"deconv2": "k4s2"}, "not 28; k4s2 is used instead"),
        (
            "manolucos/baseline",
            {},
            "decoder.deconv1: the report prints k5s2p2, which turns 5 positions a side into 9, "
            "not 13; k5s2p2d2 is used instead",
        ),
        ("manolucos/wide_repaired", {}, "into 9, not 13; k5s2 is used instead"),
    ],
)
def test_a_printed_shape_that_does_not_add_up_is_told_with_what_it_gives(name, changes, sentence):
    spec = override(SPECS[name], changes | {"latent": 64})
    (told,) = diagnostics.diagnose_autoencoder(spec, pca_loss=0.01)
    assert told.endswith(sentence)


@pytest.fixture
def sound():
    """An autoencoder whose printed shapes add up."""
    spec = SPECS["mansilla/base"]
    return type(spec)(report="none", name="sound", summary="sound")


def test_a_layer_is_judged_on_the_positions_that_the_one_before_should_give(sound):
    printed = {"deconv1": "k5s2p2", "deconv2": "k4s2o1"}
    first, second = diagnostics.diagnose_autoencoder(replace(sound, printed=printed), 0.01)
    assert "turns 5 positions a side into 9, not 13" in first
    assert "turns 13 positions a side into 29, not 28" in second
    right = {"deconv1": "k5s2", "deconv2": "k4s2"}
    assert diagnostics.diagnose_autoencoder(replace(sound, printed=right), 0.01) == []


@pytest.mark.parametrize(
    ("pixels", "output", "warns"),
    [
        ("signed", "sigmoid", True),
        ("signed", "auto", False),
        ("signed", "linear", False),
        ("unit", "auto", False),
        ("unit", "tanh", False),
    ],
)
def test_an_output_that_cannot_reach_the_pixels_is_told(sound, pixels, output, warns):
    told = diagnostics.diagnose_autoencoder(
        override(sound, {"pixels": pixels, "output": output}), 0.01
    )
    assert told == warns * [
        "decoder.output: a sigmoid cannot give values below 0, and the pixels begin at -1: use a "
        "tanh or a linear output"
    ]


@pytest.mark.parametrize(("val_loss", "warns"), [(0.0099, False), (0.01, True), (0.037, True)])
def test_a_code_no_better_than_pca_is_told(sound, val_loss, warns):
    told = diagnostics.diagnose_autoencoder(sound, 0.01, val_loss)
    assert len(told) == warns
    for sentence in told:
        assert sentence.startswith("the code is no better than PCA of the same size")
        assert f"{val_loss:.4f} on validation images, and 0.0100 with 64 components" in sentence
    assert diagnostics.diagnose_autoencoder(sound, 0.01) == []


@pytest.mark.parametrize(("latent", "warns"), [(783, False), (784, True), (0, True)])
def test_a_code_as_long_as_the_image_is_told_whatever_its_loss(sound, latent, warns):
    told = diagnostics.diagnose_autoencoder(override(sound, {"latent": latent}), 0.001, 0.0001)
    assert len(told) == warns
    assert all(f"holds {latent or 800} numbers and the image 784" in words for words in told)
