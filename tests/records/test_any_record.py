"""What holds for any record: it is read as it was written, refused, or goes through every table."""

import collections
import dataclasses
import itertools
import json

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from experiments.__main__ import CATALOGUE
from experiments.mansilla import BASE, CLASSIFIER_FULL, SPECS
from keras_fmnist.claims.claim import judge_claims
from keras_fmnist.cli.commands.assumptions import format_ranking
from keras_fmnist.records.images import pack_images
from keras_fmnist.records.json_files import RecordError, write_dataclass
from keras_fmnist.records.record import read_record, read_records
from keras_fmnist.reporting import tables
from keras_fmnist.specs import ClassifierSpec
from tests.helpers.strategies import examples, numbers, specs

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
        changes["images"] = record.images | {"reconstructions": pack_images(pixels)}
    return dataclasses.replace(record, commit=draw(st.none() | st.text()), **changes)


@examples(40)
@hypothesis.given(data=st.data())
def test_any_record_is_read_as_it_was_written(make_record, tmp_path, data):
    record = data.draw(records(make_record))
    path = tmp_path / "record.json"
    write_dataclass(path, record)
    assert read_record(path) == record


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
            found = read_records(folder)
        except RecordError:
            seen["refused"] += 1
            return
        seen["read"] += 1
        assert tables.format_results(SPECS, found)
        assert tables.describe_cost(found) is not None  # empty of a run on a GPU
        assert judge_claims(CATALOGUE.claims, found)
        assert format_ranking(CATALOGUE.questions, found) is not None
        write_dataclass(path, found[0])
        assert read_records(folder) == found

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
            black = pack_images(np.zeros((10, 28, 28, 1)))
            odd["images"] = record.images | {"originals": black, "reconstructions": black}
        found.append(dataclasses.replace(record, **odd))
    path = tmp_path / "record.json"
    for record in found[::3]:
        write_dataclass(path, record)
        assert read_record(path) == record
    assert tables.format_results(CATALOGUE.specs, found)
    assert tables.describe_cost(found)
    assert judge_claims(CATALOGUE.claims, found)
    assert format_ranking(CATALOGUE.questions, found)
