"""Settings of any kind, for hypothesis: drawn, but the same ones each time."""

import functools
import itertools

import hypothesis
from hypothesis import strategies as st

from experiments.mansilla import BASE, CLASSIFIER_FULL
from keras_fmnist.settings import SpecError, TransposedConv
from keras_fmnist.specs import override


def examples(count):
    """So many examples, the same ones in every run."""
    return hypothesis.settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,  # the first example of a kind imports and compiles
        suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
    )


@functools.cache
def deconvs():
    """Every pair of small transposed convolutions that turns 5 positions a side into 28."""
    shapes = []
    for numbers in itertools.product(range(1, 8), range(1, 4), range(4), range(3), range(1, 4)):
        try:
            shapes.append(TransposedConv.parse("k{}s{}p{}o{}d{}".format(*numbers)))
        except SpecError:
            continue
    by_size = {}
    for shape in shapes:
        by_size.setdefault(shape.output_size(5), []).append(shape)
    return [
        {"deconv1": str(first), "deconv2": str(second)}
        for second in shapes
        for size in by_size
        if size >= 1 and second.output_size(size) == 28
        for first in by_size[size]
    ]


def numbers(low, high):
    return st.floats(low, high, allow_nan=False)


# Each of the settings may be there or be left out.
TRAINING = {
    "epochs": st.integers(0, 10_000),
    "batch_size": st.integers(1, 60_000),
    "learning_rate": numbers(1e-9, 10.0),
}


AUTOENCODER = {
    "kernels": st.tuples(st.integers(1, 1024), st.integers(1, 1024)),
    "latent": st.integers(0, 16_384),
    "dropout": numbers(0, 0.99),
    "dropout_at": st.sampled_from(["before_pooling", "after_pooling", "both"]),
    "dropout_kind": st.sampled_from(["element", "channel"]),
    "batchnorm": st.booleans(),
    "last_pooling": st.sampled_from(["max", "average"]),
    "pixels": st.sampled_from(["unit", "signed"]),
    "output": st.sampled_from(["auto", "sigmoid", "tanh", "linear"]),
    "between": st.sampled_from(["relu_dropout", "nothing"]),
    "code_relu": st.booleans(),
}


CLASSIFIER = {
    "pretrained": st.booleans(),
    "frozen": st.booleans(),
    "encoder_dropout": st.booleans(),
    "hidden": st.integers(0, 16_384),
    "relu_logits": st.booleans(),
}


SGD = st.just({}) | st.fixed_dictionaries(
    {"optimizer": st.just("sgd"), "momentum": numbers(0, 0.9999)}
)


def merged(*strategies):
    return st.tuples(*strategies).map(lambda parts: functools.reduce(dict.__or__, parts))


def autoencoder_changes(net=AUTOENCODER):
    free = st.fixed_dictionaries({}, optional=TRAINING | net)
    return merged(free, SGD, st.just({}) | st.deferred(lambda: st.sampled_from(deconvs())))


def prefixed(changes):
    return {f"autoencoder_{name}": value for name, value in changes.items()}


autoencoders = autoencoder_changes().map(lambda changes: override(BASE, changes))


classifiers = merged(
    st.fixed_dictionaries({}, optional=TRAINING | CLASSIFIER),
    SGD,
    autoencoder_changes().map(prefixed),
).map(lambda changes: override(CLASSIFIER_FULL, changes))


specs = autoencoders | classifiers
