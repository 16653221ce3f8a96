"""A small study that nobody ran, with something for every part of the page."""

import dataclasses
import json

import numpy as np

from experiments import assumptions, manolucos, mansilla, transfer
from keras_fmnist.records.images import pack_images
from keras_fmnist.records.json_files import write_dataclass
from keras_fmnist.records.latent_space import STEPS, LatentSpace
from keras_fmnist.records.run import locate_latent_space

# Student's t for two seeds: 12.706 times the standard deviation over √2, here 0.01 · 12.706 / 2.
BASE_LOSSES = (0.03, 0.04)
SHIRT_ROW = [142, 0, 60, 20, 55, 0, 713, 0, 10, 0]
PARITY = {
    "experiment": "mansilla/base",
    "backend": "torch",
    "passed": False,
    "rows": [
        {"name": "conv1", "kind": "output", "max_abs": 2e-7, "mean_abs": 0, "tolerance": 1e-5},
        {"name": "conv2", "kind": "output", "max_abs": 6e-7, "mean_abs": 0, "tolerance": 1e-5},
        {"name": "conv1", "kind": "gradient", "max_abs": 3e-3, "mean_abs": 0, "tolerance": 1e-6},
        {"name": "bias", "kind": "loss", "max_abs": None, "mean_abs": None, "tolerance": 1e-6},
    ],
    "rounding": {"ours": 0.02, "native": 0.01},
    "equivalence": {
        "epochs": 3,
        "examples": 6000,
        "seeds": 5,
        "ours": {"val_loss": {"mean": 0.0874, "sd": 0.0145}},
        "native": {"val_loss": {"mean": 0.0885, "sd": 0.0147}},
        "margin": 0.0089,
        "interval": [-0.0183, 0.0161],
        "verdict": "undecided",
    },
    "defaults": [{"what": "Adam's ε", "keras": "1e-07", "pytorch": "1e-08", "ours": "1e-08"}],
}
BENCHMARK = {
    "machine": {"processor": "A processor", "cores": 2, "system": "Linux"},
    "versions": {"python": "3.11.2", "keras": "3.15.1"},
    "experiments": {
        "mansilla/base": {
            "ms_per_step": {
                "native": 63.37,
                "dataloader": 56.0,
                "stock": 79.46,
                "ours": 41.157,
                "compile": 70.3,
                "native_tuned": 52.5,
                "tensorflow": 60.1,
                "jax": 90.2,
            },
            "ratios": {},
            "quartiles": {"native_over_ours": [1.266, 1.833, 2.795]},
        }
    },
    "growth": {
        "ms_per_image": {"10": {"ours": 0.7042, "stock": 1.727}},
        "seconds_per_epoch": {"60000": {"ours": 15.157, "stock": 31.696}},
    },
    "peak_memory_mib": {"ours": 767, "stock": 765},
    "runs": {
        "mansilla/base": {
            "ms_per_step": {"ours": 52.5, "native": 99.1},
            "ratios": {},
            "quartiles": {"native_over_ours": [1.7, 1.89, 2.0]},
        }
    },
    "backends": {
        "jax": {
            "mansilla/base": {
                "ms_per_step": {"native": 26.2, "stock": 44.2},
                "ratios": {},
                "quartiles": {"native_over_stock": [0.579, 0.585, 0.609]},
            }
        }
    },
}


def latent_space():
    """A latent space of 40 images with the weights that a made record names."""
    rng = np.random.default_rng(0)

    def axes():
        return {axis: rng.normal(size=40).round(3).tolist() for axis in "xy"}

    count = STEPS + 2
    lines = [
        {"test_rows": [k, k + 1], "images": pack_images(rng.random((count, 28, 28, 1)))}
        for k in range(3)
    ]
    return LatentSpace(
        report="mansilla",
        experiment="base",
        seed=1,
        backend="torch",
        device="cpu",
        weights_sha256="c" * 64,
        labels=(list(range(10)) * 4),
        pca=axes() | {"share": [0.254, 0.1]},
        tsne=axes(),
        lines=lines,
    )


def leave(out, make_record, put_record):
    """Puts the study's files under `out`."""

    def run(spec, seed=0, metrics=None, **changes):
        """A record of all epochs, whose curves go straight to the metrics that are given."""
        record = make_record(spec, seed, **changes)
        metrics = record.metrics | (metrics or {})
        steps = range(spec.epochs - 1, -1, -1)
        history = {name: [metrics[name] + 0.01 * step for step in steps] for name in record.history}
        put_record(out, dataclasses.replace(record, metrics=metrics, history=history))

    def losses(training, validation):
        return {"train_eval_loss": training, "val_loss": validation}

    for seed, loss in enumerate(BASE_LOSSES):
        run(mansilla.BASE, seed, losses(loss, loss))
    images = make_record(mansilla.LATENT_256).images
    exact = {"pca_loss": 0.0, "mean_image_loss": 0.08, **losses(0.02, 0.02)}
    run(mansilla.LATENT_256, metrics=exact, images=images | {"pca": images["originals"]})
    matrix = [[1000 if true == named else 0 for named in range(10)] for true in range(10)]
    for seed in range(2):  # of the second a bag less is a shirt
        shirts = [*SHIRT_ROW[:6], SHIRT_ROW[6] + seed, 0, SHIRT_ROW[8] - seed, 0]
        counts = {"confusion_matrix": [*matrix[:6], shirts, *matrix[7:]]}
        run(mansilla.CLASSIFIER_FULL, seed, {"val_accuracy": 0.895 + 0.001 * seed}, **counts)
    for seed, noise in enumerate((-1e-5, 0.0, 1e-5, -1e-5, 1e-5)):  # near the row, far from it
        ran = {"loss": 0.0300 + noise}
        run(manolucos.NO_DROPOUT, seed, ran | losses(0.0300 + noise, 0.0312 + noise))
        run(manolucos.WIDE, seed, losses(0.5 + noise, 0.6 + noise))
    run(transfer.RANDOM_HEAD, metrics={"val_accuracy": 0.61237}, commit="f" * 40 + "-dirty")
    first, second = assumptions.QUESTIONS[manolucos.BASELINE][:2]
    run(first, metrics={"loss": 2 * 0.0858, "train_eval_loss": 0.2, "val_loss": 2 * 0.0726})
    run(second, metrics={"loss": 0.08, "train_eval_loss": 0.08, "val_loss": 0.0726})
    for space in (latent_space(), dataclasses.replace(latent_space(), experiment="latent_256")):
        write_dataclass(locate_latent_space(out, space.id), space)
    for kind, name, content in (
        ("parity", "mansilla-base", PARITY),
        ("benchmarks", "cpu", BENCHMARK),
    ):
        (out / kind).mkdir()
        (out / kind / f"{name}.json").write_text(json.dumps(content))
