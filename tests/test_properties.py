"""What holds for any settings, any record and any weights: round trips, and no crash on damage.

The examples are drawn, but the same ones each time.
"""

import collections
import dataclasses
import functools
import itertools
import json
import shlex

import hypothesis
import keras
import numpy as np
import pytest
import torch
from hypothesis import strategies as st
from keras_fmnist.callbacks import scale

from experiments.__main__ import CATALOGUE
from experiments.mansilla import BASE, CLASSIFIER_FULL, SPECS
from keras_fmnist import (
    assumptions,
    claims,
    cli,
    commands,
    menu,
    models,
    report,
    results,
    train,
    twin,
    weights,
)
from keras_fmnist.settings import SpecError, TransposedConv
from keras_fmnist.specs import (
    ClassifierSpec,
    command,
    override,
    settings,
    with_defaults,
)


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


def test_there_are_many_ways_from_5_to_28_positions_and_the_reports_are_among_them():
    assert len(deconvs()) > 500
    for first, second in (("k4s2o1", "k3s2o1"), ("k5s2p2d2", "k6s2p1"), ("k5s2", "k6s2p1")):
        assert {"deconv1": first, "deconv2": second} in deconvs()


@examples(200)
@hypothesis.given(spec=specs)
def test_settings_come_back_from_json_and_make_the_same_spec(spec):
    values = json.loads(json.dumps(settings(spec), allow_nan=False))
    assert values == settings(spec)
    assert with_defaults(values) == values
    declared = BASE
    if isinstance(spec, ClassifierSpec):
        declared = CLASSIFIER_FULL
        nested = values.pop("autoencoder")
        assert nested.pop("name") == "base"
        values |= prefixed(nested)
    again = override(declared, values)
    assert dataclasses.replace(again, changes=spec.changes, **_nested(spec)) == spec


def _nested(spec):
    # What was changed is remembered, not compared: the nested spec's changes are put alike.
    return {"autoencoder": spec.autoencoder} if isinstance(spec, ClassifierSpec) else {}


@examples(60)
@hypothesis.given(spec=specs, seed=st.integers(0, 2**31 - 1))
def test_the_command_of_any_run_asks_for_that_run(monkeypatch, spec, seed):
    asked = []
    monkeypatch.setattr(commands, "run_experiments", lambda *given, **flags: asked.append(given))
    _, _, _, *words = shlex.split(command(spec, seed, "cpu"))
    assert cli.main(menu.experiments(SPECS), "mansilla", words) == 0
    ((again,),) = asked[0]
    assert settings(again) == settings(spec)


losses = st.floats(0, 3.4e38, allow_nan=False)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@st.composite
def records(draw, make_record):
    spec = draw(specs)
    is_classifier = isinstance(spec, ClassifierSpec)
    record = make_record(spec, draw(st.integers(0, 2**31 - 1)))
    epochs = draw(st.integers(1, 5))
    history = {
        name: draw(st.lists(losses, min_size=epochs, max_size=epochs)) for name in record.history
    }
    metrics = {
        name: draw(numbers(0, 1) if name.endswith("accuracy") else losses)
        for name in record.metrics
    }
    changes = {"history": history, "metrics": metrics}
    if is_classifier:
        counts = st.lists(st.integers(0, 6000), min_size=10, max_size=10)
        changes["confusion_matrix"] = [[1] * 10, *(draw(counts) for _ in range(9))]
    else:
        pixels = np.random.default_rng(draw(st.integers(0, 99))).random((10, 28, 28, 1))
        changes["images"] = record.images | {"reconstructions": results.pack_images(pixels)}
    return dataclasses.replace(record, commit=draw(st.none() | st.text()), **changes)


@examples(40)
@hypothesis.given(data=st.data())
def test_any_record_is_read_as_it_was_written(make_record, tmp_path, data):
    record = data.draw(records(make_record))
    path = tmp_path / "record.json"
    results.write(path, record)
    assert results.read(path) == record


def like(value):
    """Values of the same kind: most of them are as good as the one that stood there."""
    kinds = {
        bool: st.booleans(),
        int: st.integers(0, 100),
        float: st.floats(0, 1),
        str: st.text(max_size=5),
    }
    return kinds.get(type(value), st.just(value))


def test_a_record_with_any_value_anywhere_is_refused_or_goes_through_every_table(
    make_record, put_record, tmp_path
):
    seen = collections.Counter()
    ranked = [BASE, CLASSIFIER_FULL, CATALOGUE.readings[0], CATALOGUE.readings[-1]]

    @examples(200)
    @hypothesis.given(spec=st.sampled_from(ranked), data=st.data())
    def put_any_value_anywhere(spec, data):
        folder = tmp_path / spec.name
        path = put_record(folder, make_record(spec))
        values = json.loads(path.read_bytes())
        place = values
        while True:
            keys = sorted(place) if isinstance(place, dict) else range(len(place))
            key = data.draw(st.sampled_from(list(keys)))
            inner = place[key]
            if not inner or not isinstance(inner, (dict, list)) or data.draw(st.booleans()):
                break
            place = inner
        place[key] = data.draw(json_values | like(inner))
        path.write_text(json.dumps(values))
        try:
            found = results.read_all(folder)
        except results.RecordError:
            seen["refused"] += 1
            return
        seen["read"] += 1
        assert report.results_table(SPECS, found)
        assert report.cost_of_seeds(found) is not None  # empty of a run on a GPU
        assert claims.judge(CATALOGUE.claims, found)
        assert assumptions.table(CATALOGUE.questions, found) is not None
        results.write(path, found[0])
        assert results.read_all(folder) == found

    put_any_value_anywhere()
    assert seen["refused"] > 50
    assert seen["read"] > 10


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("epochs", [1, 2, 6, 15])
@pytest.mark.parametrize("value", [0, 5e-324, 1, 3.4e38])
def test_the_oddest_records_go_through_every_table(make_record, tmp_path, epochs, value):
    found = []
    for spec, seed in itertools.product([*CATALOGUE.specs, *CATALOGUE.readings], range(3)):
        record = make_record(spec, seed)
        of = {
            name: min(value, 1) if name.endswith("accuracy") else value for name in record.metrics
        }
        history = {name: [of[name]] * epochs for name in record.history}
        odd = {"history": history, "metrics": of | {"dead_logits": 10}}
        if isinstance(spec, ClassifierSpec):
            odd["confusion_matrix"] = np.diag([1] + [0] * 9).tolist()
        else:
            black = results.pack_images(np.zeros((10, 28, 28, 1)))
            odd["images"] = record.images | {"originals": black, "reconstructions": black}
        found.append(dataclasses.replace(record, **odd))
    path = tmp_path / "record.json"
    for record in found[::3]:
        results.write(path, record)
        assert results.read(path) == record
    assert report.results_table(CATALOGUE.specs, found)
    assert report.cost_of_seeds(found)
    assert claims.judge(CATALOGUE.claims, found)
    assert assumptions.table(CATALOGUE.questions, found)


@examples(100)
@hypothesis.given(content=st.binary(max_size=60))
def test_bytes_that_are_no_file_of_ours_are_refused(tmp_path, content):
    for name, read, error in (
        ("record.json", results.read, results.RecordError),
        ("w.safetensors", weights.load, weights.WeightsError),
        ("w.pt", weights.load_native, weights.WeightsError),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(error, match=name):
            read(path)


LAYERS = {  # the ranks of their variables
    "conv": {"kernel": 4, "bias": 1},
    "dense": {"kernel": 2, "bias": 1},
    "bn": {"gamma": 1, "beta": 1, "moving_mean": 1, "moving_variance": 1},
}


@st.composite
def arrays(draw):
    """Weights of layers with any name, and of any bits: also NaN, −0 and what is next to 0."""
    paths = st.from_regex(r"([a-z]{1,3}/)?[a-z][0-9]?", fullmatch=True)
    made = {}
    for path in draw(st.lists(paths, unique=True, max_size=4)):
        for variable, rank in LAYERS[draw(st.sampled_from(sorted(LAYERS)))].items():
            shape = tuple(draw(st.integers(1, 3)) for _ in range(rank))
            size = 4 * int(np.prod(shape))
            content = bytearray(draw(st.binary(min_size=size, max_size=size)))
            made[f"{path}/{variable}"] = np.frombuffer(content, np.float32).reshape(shape)
    return made


def bits(arrays):
    return {name: (a.dtype, a.shape, a.tobytes()) for name, a in arrays.items()}


@examples(40)
@hypothesis.given(arrays=arrays())
def test_any_weights_keep_every_bit_through_every_format(tmp_path, arrays):
    weights.save(tmp_path / "w.safetensors", arrays)
    loaded = weights.load(tmp_path / "w.safetensors", weights.digest(arrays))
    assert bits(loaded) == bits(arrays)
    weights.save_native(tmp_path / "w.pt", weights.to_native(arrays))
    native = weights.load_native(tmp_path / "w.pt")
    assert bits(weights.from_native(native, arrays)) == bits(arrays)


SMALL = AUTOENCODER | {
    "kernels": st.tuples(st.integers(1, 4), st.integers(1, 4)),
    "latent": st.integers(0, 8),
    "dropout": st.sampled_from([0.0, 0.3]),
}
small_autoencoders = merged(
    st.fixed_dictionaries(SMALL), SGD, st.deferred(lambda: st.sampled_from(deconvs()))
)
small_specs = small_autoencoders.map(lambda changes: override(BASE, changes)) | merged(
    st.fixed_dictionaries(CLASSIFIER | {"hidden": st.integers(0, 4)}),
    small_autoencoders.map(prefixed),
).map(lambda changes: override(CLASSIFIER_FULL, changes))


@examples(20)
@hypothesis.given(spec=small_specs, seed=st.integers(0, 99))
def test_any_small_net_trains_a_step_and_goes_to_pytorch_and_back(dataset, spec, seed):
    images = scale(dataset.train_images[:6], spec.darkest)
    is_classifier = isinstance(spec, ClassifierSpec)
    model = models.build(spec, seed)
    before = weights.get_arrays(model)
    train.compile_model(model, spec, fast=False)
    loss = model.train_on_batch(images, dataset.train_labels[:6] if is_classifier else images)
    assert np.isfinite(loss).all()
    after = weights.get_arrays(model)
    moved = {name for name in after if not np.array_equal(before[name], after[name])}
    assert moved or (is_classifier and spec.relu_logits)  # a ReLU may silence every logit
    if is_classifier and spec.frozen:
        assert not any(name.startswith("encoder/") for name in moved)

    native = weights.to_native(after)
    net = twin.build(spec).eval()
    net.load_state_dict({name: torch.from_numpy(array) for name, array in native.items()})
    with torch.no_grad():
        theirs = net(torch.from_numpy(images.transpose(0, 3, 1, 2).copy())).numpy()
    if not is_classifier:
        theirs = theirs.transpose(0, 2, 3, 1)
    ours = keras.ops.convert_to_numpy(model(images, training=False))
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    state = {name: tensor.numpy() for name, tensor in net.state_dict().items()}
    assert bits(weights.from_native(state, after)) == bits(after)
