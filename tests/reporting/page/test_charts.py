"""The plots: the numbers of the records, on the scale that is asked for."""

import dataclasses
import json
import re

import pytest

from experiments.mansilla import BASE, UNTRAINED
from keras_fmnist.reporting.page import charts


def test_curves_are_means_with_the_least_and_the_greatest(make_record):
    records = [
        make_record(
            BASE, seed, history={"loss": [a, b], "train_eval_loss": [1, 1], "val_loss": [2, 2]}
        )
        for seed, (a, b) in enumerate([(3.0, 2.0), (5.0, 1.0)])
    ]
    ran, evaluated, validation = charts.plot_curves({"base": records}, "loss")
    assert (ran["mean"], ran["low"], ran["high"]) == ([4.0, 1.5], [3.0, 1.0], [5.0, 2.0])
    assert [line["curve"] for line in (ran, evaluated, validation)] == [
        "as_it_ran",
        "evaluated",
        "validation",
    ]
    several = charts.plot_curves({"base": records, "untrained": records}, "loss")
    assert [(line["who"], line["curve"]) for line in several] == [
        (who, curve) for who in ("base", "untrained") for curve in ("evaluated", "validation")
    ]


def filled(plot):
    """What the script makes of a plot, as far as it is JSON."""
    numbers = {"few": 2, "many": 5, "height": 330}
    return json.loads(re.sub(r"\$\{(few|many|height)\}", lambda m: str(numbers[m[1]]), plot))


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_a_plot_holds_the_numbers_on_the_scale_that_is_asked_for(make_record, scale):
    record = make_record(BASE)
    lines = charts.plot_curves({"base": [record]}, "loss")
    (figure,) = filled(charts.build_plot(lines, "loss", "mean squared error", scale))["doc"][
        "roots"
    ]
    assert (
        figure["attributes"]["y_scale"]["name"]
        == {"linear": "LinearScale", "log": "LogScale"}[scale]
    )
    source = figure["attributes"]["renderers"][0]["attributes"]["data_source"]
    columns = dict(source["attributes"]["data"]["entries"])
    assert columns["epoch"] == [1, 2, 3]
    assert columns["mean0"] == record.history["loss"]
    assert columns["mean2"] == record.history["val_loss"]


def test_experiments_of_different_length_share_a_plot(make_record):
    long, short = make_record(BASE), make_record(UNTRAINED)
    short = dataclasses.replace(
        short, history={name: values[:1] for name, values in short.history.items()}
    )
    lines = charts.plot_curves({"base": [long], "untrained": [short]}, "loss")
    assert "mean3" in charts.build_plot(lines, "loss", "mean squared error", "linear")


def test_whatever_a_plot_says_is_in_both_languages(html):
    spoken = json.loads(re.search(r'id="words">(.*?)</script>', html, re.S)[1])
    asked = set(
        re.findall(r"\$\{([^}]+)\}", "".join(re.findall(r'data-scale="\w.*?</script>', html)))
    )
    own = {"ink", "paper", "rule", "few", "many", "height"}
    assert own <= asked
    assert asked - own <= spoken["en"].keys() == spoken["es"].keys()
