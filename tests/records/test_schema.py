"""The fields of a record: each has its check, and what is wrong is named."""

import dataclasses
import json
import re

import numpy as np
import pytest

from experiments.mansilla import BASE, CLASSIFIER_FULL
from keras_fmnist.records import schema
from keras_fmnist.records.json_files import RecordError
from keras_fmnist.records.record import Record, read_record
from tests.helpers.records import assert_refused, change


@pytest.mark.parametrize(
    "name",
    [f.name for f in dataclasses.fields(Record)][:-3],
)
def test_a_missing_field_is_named(record, put_record, tmp_path, name):
    path = put_record(tmp_path, record)
    change(path, lambda values: values.pop(name))
    with pytest.raises(RecordError) as error:
        read_record(path)
    assert str(error.value) == f"{path} lacks the field {name}"


def test_an_unknown_field_is_named(record, put_record, tmp_path):
    path = put_record(tmp_path, record)
    change(path, lambda values: values.update(sede=1))
    with pytest.raises(RecordError) as error:
        read_record(path)
    assert str(error.value) == f"{path} has an unknown field: sede"


def put(*path):
    """`put(name, …, value)`: an edit that puts a value at a place of a record."""
    *path, last, value = path

    def edit(values):
        for name in path:
            values = values[name]
        values[last] = value

    return edit


def drop(*path):
    *path, last = path

    def edit(values):
        for name in path:
            values = values[name]
        del values[last]

    return edit


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


COUNTS = (90 * np.eye(10, dtype=int) + 1).tolist()


EDITS = {  # of an autoencoder's record
    "report": [put("report", wrong) for wrong in (1, "", "..", "../../tmp", "/etc", "a/b", "a\0b")],
    "experiment": [put("experiment", wrong) for wrong in (None, "..", "../x", "x" * 200, "$x^2$")],
    "backend": [put("backend", "torch/../../x"), put("backend", {})],
    "device": [put("device", "cpu\n"), put("device", ["cpu"])],
    "seed": [put("seed", wrong) for wrong in ("0", 1.5, None, True, -1, 2**31, 10**400)],
    "examples": [put("examples", wrong) for wrong in ([1], 0, 60_001)],
    "versions": [put("versions", "3.15")],
    "commit": [put("commit", 5)],
    "command": [put("command", ["rm", "-rf"]), put("command", None)],
    "started": [put("started", 0)],
    "seconds": [
        put("seconds", 30.5),
        drop("seconds", "total"),
        put("seconds", "total", "30"),
        put("seconds", "cpu", "30"),
        put("seconds", "per_epoch", None),
        put("seconds", "per_epoch", 1, 10**400),
    ],
    "parameters": [put("parameters", "total", 1.5), drop("parameters", "trainable")],
    "data_sha256": [put("data_sha256", "a" * 63), put("data_sha256", "A" * 64)],
    "weights_sha256": [put("weights_sha256", "final", None), drop("weights_sha256", "final")],
    "history": [
        put("history", None),
        put("history", "val_loss", [0.1, 0.2]),
        put("history", "val_loss", [0.1, None, 0.2]),
        put("history", "val_loss", [0.1, True, 0.2]),
        put("history", "val_loss", "abc"),
        put("history", "val_loss", [0.1, -0.1, 0.2]),
        put("history", {"loss": [], "val_loss": [], "train_eval_loss": []}),
        drop("history", "val_loss"),
        drop("history", "loss"),
    ],
    "metrics": [
        put("metrics", []),
        put("metrics", "val_loss", "0.1"),
        put("metrics", "val_loss", False),
        put("metrics", "val_loss", -0.1),
        put("metrics", "val_loss", 1e39),
        put("metrics", "val_accuracy", 1.1),
        put("metrics", "dead_logits", nested(3)),
        drop("metrics", "val_loss"),
        drop("metrics", "train_eval_loss"),
    ],
    "confusion_matrix": [put("confusion_matrix", wrong) for wrong in ({"0": [1]}, [], COUNTS)],
    "images": [
        put("images", "AAAA"),
        put("images", {}),
        put("images", "originals", ""),
        put("images", "originals", "AAAA"),
        put("images", "reconstructions", "*" * 10_456),
        put("images", "reconstructions", "ü"),
        put("images", "reconstructions", None),
        put("images", "test_rows", [0] * 9),
        put("images", "test_rows", [-1] * 10),
        put("images", "path", "/etc/passwd"),
        put("images", "pca", "AAAA"),
        lambda values: values["images"].update(pca=values["images"]["originals"]),
    ],
    "resumed_at": [put("resumed_at", None), put("resumed_at", ["1"]), put("resumed_at", [-1])],
    "spec": [
        put("spec", [["epochs", 15]]),
        put("spec", "epochs", "15"),
        put("spec", "epochs", -1),
        put("spec", "epohcs", 15),
        put("spec", "learning_rate", 10**400),
        put("spec", "kernels", nested(900)),
        put("spec", "kernels", [16, 32, 64]),
        put("spec", "deconv2", "k4s2o1"),
        put("spec", "momentum", 0.5),
        put("spec", "autoencoder", None),
        put("spec", "autoencoder", {"name": "base", "autoencoder": {"name": "base"}}),
    ],
}


CLASSIFIER_EDITS = {
    "confusion_matrix": [
        put("confusion_matrix", None),
        put("confusion_matrix", COUNTS[:9]),
        put("confusion_matrix", 3, [1] * 9),
        put("confusion_matrix", 3, "1234567890"),
        put("confusion_matrix", 3, 4, -1),
        put("confusion_matrix", 3, 4, 1.5),
        put("confusion_matrix", 3, 4, 10**30),
        put("confusion_matrix", [[0] * 10] * 10),
    ],
    "history": [drop("history", "val_accuracy")],
    "metrics": [drop("metrics", "val_accuracy")],
    "spec": [
        put("spec", "autoencoder", "base"),
        put("spec", "autoencoder", "name", 5),
        put("spec", "autoencoder", "latent", 10**9),
        put("spec", "autoencoder", "frozen", True),
        put("spec", "autoencoder_latent", 8),
    ],
}


DAMAGED = [
    *((BASE, field, edit) for field, edits in EDITS.items() for edit in edits),
    *((CLASSIFIER_FULL, f, edit) for f, edits in CLASSIFIER_EDITS.items() for edit in edits),
]


@pytest.mark.parametrize(
    ("spec", "field", "edit"),
    DAMAGED,
    ids=[f"{field}{k}" for k, (_, field, _) in enumerate(DAMAGED)],
)
def test_a_record_with_a_wrong_field_is_refused_by_its_name(
    make_record, put_record, tmp_path, tally, spec, field, edit
):
    path = put_record(tmp_path, make_record(spec))
    whole = json.loads(path.read_text())
    assert read_record(path)
    change(path, edit)
    assert json.loads(path.read_text()) != whole
    assert_refused(path, field)
    tally("damaged records refused")


def test_every_field_has_its_check_and_was_damaged():
    fields = {f.name for f in dataclasses.fields(Record)}
    assert schema.FIELDS.keys() == EDITS.keys() == fields


def test_the_word_for_a_wrong_value_says_what_would_be_right(record, put_record, tmp_path):
    path = put_record(tmp_path, record)
    change(path, put("history", "val_loss", [0.1]))
    words = f"{path}: history must be lists of numbers from 0 by name, each as long as the others"
    with pytest.raises(RecordError, match=re.escape(words)):
        read_record(path)
