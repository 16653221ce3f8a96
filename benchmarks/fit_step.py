"""What one training step costs: native PyTorch, stock Keras fit, and the replayed step.

    python benchmarks/fit_step.py [--rounds 9] [--steps 60] [--inductor]

The variants take turns within each round, so a busy machine slows all of them alike; read the
ratios. An epoch is measured whole: data, callbacks, metrics and History included. The net is the
mansilla base autoencoder with dropout 0.2 and batches of 100 random images held in memory.
"""

import argparse
import os
import statistics
import time

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np
import torch
from keras import layers

from keras_fmnist import fast_fit

BATCH = 100
RATE = 0.2


def build_native():
    """The autoencoder as a native module, images (batch, 1, 28, 28)."""
    nn = torch.nn
    return nn.Sequential(
        *(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Dropout(RATE), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 32, 3), nn.ReLU(), nn.Dropout(RATE), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(800, 64), nn.ReLU(), nn.Dropout(RATE)),
        *(nn.Linear(64, 800), nn.ReLU(), nn.Dropout(RATE), nn.Unflatten(1, (32, 5, 5))),
        *(nn.ConvTranspose2d(32, 16, 4, 2, output_padding=1), nn.ReLU(), nn.Dropout(RATE)),
        *(nn.ConvTranspose2d(16, 1, 3, 2, output_padding=1), nn.Sigmoid()),
    )


def build_keras():
    """The same net in Keras, nested models, images (batch, 28, 28, 1), compiled."""
    first = {"data_format": "channels_first"}
    image = keras.Input((28, 28, 1))
    x = layers.Reshape((1, 28, 28))(image)
    for filters in (16, 32):
        x = layers.Conv2D(filters, 3, activation="relu", **first)(x)
        x = layers.MaxPooling2D(2, **first)(layers.Dropout(RATE)(x))
    x = layers.Dense(64, activation="relu")(layers.Reshape((800,))(x))
    encoder = keras.Model(image, layers.Dropout(RATE)(x), name="encoder")
    latent = keras.Input((64,))
    x = layers.Dropout(RATE)(layers.Dense(800, activation="relu")(latent))
    x = layers.Reshape((32, 5, 5))(x)
    twice = {"strides": 2, "output_padding": 1, **first}
    x = layers.Conv2DTranspose(16, 4, activation="relu", **twice)(x)
    x = layers.Conv2DTranspose(1, 3, activation="sigmoid", **twice)(layers.Dropout(RATE)(x))
    decoder = keras.Model(latent, layers.Reshape((28, 28, 1))(x), name="decoder")
    model = keras.Model(image, decoder(encoder(image)), name="autoencoder")
    model.compile(keras.optimizers.Adam(1e-3), "mse")
    return model


class Batches(keras.utils.PyDataset):
    """Shuffled batches gathered from a tensor in memory."""

    def __init__(self, images):
        super().__init__()
        self._images = images
        self._order = torch.randperm(len(images))

    def __len__(self):
        return len(self._images) // BATCH

    def __getitem__(self, index):
        batch = self._images[self._order[index * BATCH : (index + 1) * BATCH]]
        return batch, batch


def native_epoch(images):
    """A function that trains the native net for one epoch and returns its seconds."""
    model = build_native()
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    images = images.reshape(-1, 1, 28, 28)

    def run():
        started = time.perf_counter()
        for chosen in torch.randperm(len(images)).split(BATCH):
            batch = images[chosen]
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(model(batch), batch)
            loss.backward()
            optimizer.step()
        loss.item()
        return time.perf_counter() - started

    return run


def keras_epoch(images, prepare):
    """A function that trains the Keras net for one `fit` epoch and returns its seconds."""
    model = prepare(build_keras())
    data = Batches(images)

    def run():
        started = time.perf_counter()
        model.fit(data, epochs=1, verbose=0)
        return time.perf_counter() - started

    return run


def measure(variants, rounds):
    """Seconds of each variant in each round, the variants taking turns; the first round warms."""
    seconds = {name: [] for name in variants}
    for number in range(rounds + 1):
        for name, run in variants.items():
            taken = run()
            if number:
                seconds[name].append(taken)
    return seconds


def report(seconds, steps):
    """Print medians and, against each variant, quartiles of the ratio within a round."""
    for name, taken in seconds.items():
        print(f"{name:12} {statistics.median(taken) / steps * 1e3:7.2f} ms a step")
    for name, taken in seconds.items():
        for base in ("stock fit", "native"):
            ratios = [b / t for b, t in zip(seconds[base], taken, strict=True)]
            low, middle, high = statistics.quantiles(ratios, n=4)
            print(f"{base} / {name}: {middle:.2f} [{low:.2f}, {high:.2f}]")


def main():
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--inductor", action="store_true")
    arguments = parser.parse_args()
    images = torch.tensor(np.random.default_rng(0).random((arguments.steps * BATCH, 28, 28, 1)))
    images = images.float().to(keras.ops.zeros(()).device)
    variants = {
        "native": native_epoch(images),
        "stock fit": keras_epoch(images, lambda model: model),
        "stock mask": keras_epoch(images, lambda m: fast_fit.accelerate(m, mask="stock")),
        "fast mask": keras_epoch(images, fast_fit.accelerate),
    }
    if arguments.inductor:
        variants["inductor"] = keras_epoch(images, lambda m: fast_fit.accelerate(m, inductor=True))
    report(measure(variants, arguments.rounds), arguments.steps)


if __name__ == "__main__":
    main()
