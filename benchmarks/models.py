"""`fast_fit` on models that nobody here wrote: `python benchmarks/models.py [rounds]`.

Six nets of keras.applications at 32x32 and five in the shapes of keras.io's examples. For each: are
two steps bit-equal to stock Keras's with `exact=True`, what does a trace take, and how many times
longer stock Keras takes for a step, and a plain loop in PyTorch where `native_models.py` has the
net. They take turns on one thread; seconds are the processor's, so that what else the machine does
counts little. Then what verifying a step costs on three nets of this project. Written to
results/benchmarks/models.json; `keras-fmnist report` makes the tables of docs/fast_fit.md of it.
"""

import argparse
import json
import os
import platform
import time
import warnings
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"
os.environ.setdefault("OMP_NUM_THREADS", "1")

import keras
import numpy as np
import torch
from keras import layers
from native_models import NATIVE, Training

from experiments import mansilla
from keras_fmnist import fast_fit, files
from keras_fmnist.fast_fit import tracing
from keras_fmnist.models import networks
from keras_fmnist.training.compile import compile_model

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "results" / "benchmarks" / "models.json"
CLASSES = 10


def _application(name):
    def build():
        image = keras.Input((32, 32, 3))
        body = getattr(keras.applications, name)(
            include_top=False, weights=None, input_tensor=image, pooling="avg"
        )
        return keras.Model(image, layers.Dense(CLASSES)(body.output)), (32, 32, 3)

    return build


def _convnet():
    """keras.io, simple MNIST convnet."""
    image = x = keras.Input((28, 28, 1))
    for filters in (32, 64):
        x = layers.Conv2D(filters, 3, activation="relu")(x)
        x = layers.MaxPooling2D(2)(x)
    x = layers.Dropout(0.5)(layers.Flatten()(x))
    return keras.Model(image, layers.Dense(CLASSES)(x)), (28, 28, 1)


def _augmented():
    """The convnet behind a flip and noise, which stock Keras seeds on the host."""
    inner, shape = _convnet()
    image = keras.Input(shape)
    x = layers.GaussianNoise(0.1)(layers.RandomFlip("horizontal")(image))
    return keras.Model(image, inner(x)), shape


def _autoencoder():
    """keras.io, convolutional autoencoder for image denoising."""
    image = x = keras.Input((28, 28, 1))
    for _ in range(2):
        x = layers.Conv2D(32, 3, activation="relu", padding="same")(x)
        x = layers.MaxPooling2D(2, padding="same")(x)
    for _ in range(2):
        x = layers.Conv2DTranspose(32, 3, strides=2, activation="relu", padding="same")(x)
    x = layers.Conv2D(1, 3, activation="sigmoid", padding="same")(x)
    return keras.Model(image, x), (28, 28, 1)


def _transformer():
    """keras.io, text classification with Transformer: one block on 40 vectors of 32 numbers."""
    tokens = keras.Input((40, 32))
    attended = layers.MultiHeadAttention(2, 32)(tokens, tokens)
    x = layers.LayerNormalization(epsilon=1e-6)(tokens + layers.Dropout(0.1)(attended))
    inner = layers.Dense(32)(layers.Dense(32, activation="relu")(x))
    x = layers.LayerNormalization(epsilon=1e-6)(x + layers.Dropout(0.1)(inner))
    x = layers.Dropout(0.1)(layers.GlobalAveragePooling1D()(x))
    return keras.Model(tokens, layers.Dense(CLASSES)(x)), (40, 32)


def _recurrent():
    """keras.io, bidirectional LSTM, on 20 vectors of 32 numbers."""
    tokens = keras.Input((20, 32))
    x = layers.Bidirectional(layers.LSTM(32, return_sequences=True))(tokens)
    x = layers.Bidirectional(layers.LSTM(32))(x)
    return keras.Model(tokens, layers.Dense(CLASSES)(x)), (20, 32)


APPLICATIONS = (
    "MobileNet",
    "MobileNetV2",
    "ResNet50",
    "EfficientNetB0",
    "ConvNeXtTiny",
    "DenseNet121",
)
MODELS = {
    "convnet": _convnet,
    "convnet with RandomFlip and GaussianNoise": _augmented,
    "denoising autoencoder": _autoencoder,
    "transformer block": _transformer,
    "bidirectional LSTM": _recurrent,
} | {name: _application(name) for name in APPLICATIONS}


def _compiled(build):
    keras.utils.set_random_seed(0)
    model, shape = build()
    if model.output_shape[1:] == shape:
        model.compile("adam", "binary_crossentropy")
    else:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss, metrics=["accuracy"])
    return model, shape


def _batch_for(model, shape, examples):
    rng = np.random.default_rng(0)
    x = torch.tensor(rng.random((examples, *shape), dtype="float32"))
    if model.output_shape[1:] == shape:
        return x, x
    return x, torch.tensor(rng.integers(0, CLASSES, examples))


def _states_after_two_steps(build, examples, accelerate):
    model, shape = _compiled(build)
    batch = _batch_for(model, shape, examples)
    accelerate(model)
    torch.manual_seed(1)
    losses = [np.ravel(model.train_on_batch(*batch)).tolist() for _ in range(2)]
    return losses, [w.copy() for w in model.get_weights()]


def _is_bit_equal(build, examples):
    """Losses and weights of two steps with `exact=True` against stock Keras's."""
    (losses, weights), (expected, stock) = (
        _states_after_two_steps(build, examples, accelerate)
        for accelerate in (lambda m: fast_fit.accelerate(m, exact=True, at_once=True), lambda m: m)
    )
    return losses == expected and all(map(np.array_equal, weights, stock))


def _measure(name, examples, rounds):
    """Processor seconds of a trace, and of steps of stock Keras, the replay and a native loop."""
    stock, shape = _compiled(MODELS[name])
    ours, _ = _compiled(MODELS[name])
    batch = _batch_for(stock, shape, examples)
    fast_fit.accelerate(ours, at_once=True)
    stock.train_on_batch(*batch)
    begin = time.process_time()
    ours.train_on_batch(*batch)
    first = time.process_time() - begin
    runs = {
        "stock": lambda: stock.train_function([batch]),
        "ours": lambda: ours.train_function([batch]),
    }
    if name in NATIVE:
        runs["native"] = Training(_native(name, ours), batch).step
    seconds = {run: [] for run in runs}
    for _ in range(rounds + 1):
        for run, step in runs.items():
            begin = time.process_time()
            step()
            seconds[run].append(time.process_time() - begin)
    seconds = {run: np.array(values[1:]) for run, values in seconds.items()}
    found = {"cpu_seconds_to_trace": round(first - float(np.median(seconds["ours"])), 2)}
    for run, values in seconds.items():
        found[f"{run}_cpu_ms"] = round(1e3 * float(np.median(values)), 2)
    for run in [run for run in runs if run != "ours"]:
        ratios = np.percentile(seconds[run] / seconds["ours"], [50, 25, 75])
        found[f"{run}_over_ours"] = [round(float(ratio), 2) for ratio in ratios]
    return found


def _native(name, model):
    """The net in plain PyTorch, with as many numbers to train as the Keras model has."""
    native = NATIVE[name]()
    trained = sum(weight.numel() for weight in native.parameters() if weight.requires_grad)
    expected = sum(weight.value.numel() for weight in model.trainable_weights)
    if trained != expected:
        raise SystemExit(f"{name}: {trained} numbers in PyTorch, {expected} in Keras")
    return native


def _fallbacks(told):
    return sorted({str(w.message).split(": ", 1)[1] for w in told if "as stock" in str(w.message)})


def main():
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rounds", nargs="?", type=int, default=15)
    parser.add_argument("--examples", type=int, default=32)
    parser.add_argument("--only", nargs="*", default=list(MODELS), choices=list(MODELS))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    record = json.loads(OUT.read_text()) if OUT.exists() else {}
    record |= {
        "processor": platform.processor() or platform.machine(),
        "threads": torch.get_num_threads(),
        "examples": arguments.examples,
        "rounds": arguments.rounds,
        "versions": {"keras": keras.__version__, "torch": torch.__version__},
    }
    found = record.setdefault("models", {})
    for name in arguments.only:
        found[name] = _all_of(name, arguments)
        print(name, found[name], flush=True)
        _write(record)
    record["verification"] = {
        f"mansilla/{spec.name}": _measure_verification(spec, arguments.rounds)
        for spec in (mansilla.BASE, mansilla.CLASSIFIER_FULL, mansilla.CLASSIFIER_FROZEN)
    }
    _write(record)


def _all_of(name, arguments):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        equal = _is_bit_equal(MODELS[name], arguments.examples)
        exact_fallbacks, told[:] = _fallbacks(told), []
        found = _measure(name, arguments.examples, arguments.rounds)
    return {
        "bit_equal_with_exact": equal,
        "runs_as_stock_with_exact": exact_fallbacks,
        "runs_as_stock": _fallbacks(told),
        **found,
    }


def _measure_verification(spec, rounds, examples=100):
    """Processor milliseconds of a replayed step, of verifying it, and of looking at settings."""
    model = networks.build(spec)
    compile_model(model, spec, fast=False)
    x = torch.tensor(np.random.default_rng(0).random((examples, 28, 28, 1), dtype="float32"))
    batch = x, x if spec is mansilla.BASE else torch.zeros(examples, dtype=torch.int64)
    model.train_on_batch(*batch)
    train, test = (
        tracing.trace(model, kind, batch, exact=False, inductor=False) for kind in ("train", "test")
    )
    runs = {
        "step": lambda: train(batch),
        "verify_train": lambda: train.is_verified(batch),
        "verify_test": lambda: test.is_verified(batch),
        "look": lambda: [train.is_stale() for _ in range(100)],
    }
    seconds = {name: [] for name in runs}
    for _ in range(rounds + 1):
        for name, run in runs.items():
            begin = time.process_time()
            run()
            seconds[name].append(time.process_time() - begin)
    found = {name: 1e3 * float(np.median(values[1:])) for name, values in seconds.items()}
    found["look"] /= 100
    # Of an epoch of 100 steps, with 100 more of validation: that is verified every other time.
    found["percent_of_100_steps"] = (found["verify_train"] + found["verify_test"] / 2) / found[
        "step"
    ]
    return {name: round(value, 3) for name, value in found.items()}


def _write(record):
    """Whole after each net: a run that is stopped leaves those it has measured."""
    files.write_whole(OUT, (json.dumps(record, indent=2) + "\n").encode())


if __name__ == "__main__":
    main()
