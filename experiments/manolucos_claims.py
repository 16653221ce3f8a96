"""What manolucos claims of its autoencoders, and what its words are taken to mean.

The words stand in `texts.toml`; the classifiers' claims in `manolucos_classifier_claims`.
"""

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

from experiments.manolucos import (
    AVG_POOLING,
    BASELINE,
    BATCHNORM,
    NO_DROPOUT,
    WIDE,
)
from experiments.words import WORDS, declare
from keras_fmnist.claims import pictures, quantities
from keras_fmnist.claims.claim import Claim, give_words_a_number
from keras_fmnist.claims.criteria import Every, Near, Ranked, Within
from keras_fmnist.claims.places import Place, at
from keras_fmnist.claims.quantities import final, level, running
from keras_fmnist.specs import Spec

# Five seeds decide. Seed 0 had been run when these claims were written.
claim = partial(declare, "manolucos", seeds=5, seen=1)

AUTOENCODERS = (BASELINE, NO_DROPOUT, BATCHNORM, AVG_POOLING, WIDE)

# How near a printed number ours must be. A loss: the margin in which `compare` calls two trainings
# equivalent. An accuracy: a point, twice as far as 10 000 other images would move it.
LOSS_REACH = 0.10
ACCURACY_REACH = 0.01
# Words without a number get one here, as for mansilla.
MUCH = 2
MARGIN = 0.10
VISIBLE = 0.05
HALF = 0.5

PUBLISHED_RATIO = BASELINE.published["train_eval_loss"] / BASELINE.published["val_loss"]


def join_printed(*numbers: tuple[Spec, str]) -> str:
    """Printed numbers, each given by its experiment and its name: `8.58%, 7.26%`."""
    return ", ".join(f"{spec.published[name]:.2%}" for spec, name in numbers)


def declare_rows(spec: Spec, tables: str) -> tuple[Claim, Claim]:
    """That ours are near the numbers printed for an experiment.

    The second claim is of the training column alone, read as what ran during the epoch.
    """
    training = [name for name in spec.published if name.startswith("train_eval_")]
    return (
        _declare_row("row", spec, tables, dict.fromkeys(spec.published, final)),
        _declare_row(
            "running",
            spec,
            tables,
            dict.fromkeys(training, lambda name: running(name.removeprefix("train_eval_"))),
        ),
    )


def _declare_row(ending, spec, tables, readers):
    """One claim of a printed row; `readers` says for each number what of a run it is held to."""

    def rule(reach):
        return Every(
            tuple(
                Near(read(name), spec, spec.published[name], _reach(spec, name, reach))
                for name, read in readers.items()
            )
        )

    kind = "classifier" if spec.is_classifier else "autoencoder"
    values = {
        "row": WORDS(
            f"{kind}_{ending}",
            name=spec.name,
            reach=f"{LOSS_REACH:.0%}",
            points=f"{100 * ACCURACY_REACH:g}",
        ),
        "printed": join_printed(*((spec, name) for name in readers)),
    }
    return claim(
        f"{spec.name}_{ending}",
        at(tables=tables),
        values,
        key="row",
        **give_words_a_number(LOSS_REACH, rule),
    )


def _reach(spec, name, reach):
    """How near a number must be, given the reach of a loss."""
    if name.endswith("accuracy"):
        return ACCURACY_REACH * reach / LOSS_REACH
    return reach * spec.published[name]


def declare_order(name: str, metric: str, specs: Sequence[Spec], where: Place) -> Claim:
    """That experiments have the order of a table, which names them from the largest number."""
    return claim(
        name,
        where,
        {"printed": join_printed(*((spec, metric) for spec in specs))},
        holds=Every(
            tuple(Ranked(level(metric), smaller, larger) for larger, smaller in pairwise(specs))
        ),
    )


CLAIMS = (
    *(row for spec in AUTOENCODERS for row in declare_rows(spec, "3")),
    declare_order("order", "val_loss", AUTOENCODERS, at("4.1", tables="3")),
    declare_order("order_training", "train_eval_loss", AUTOENCODERS, at("4.1", tables="3")),
    claim(
        "baseline_below_10",
        at("4.1"),
        {"printed": join_printed((BASELINE, "train_eval_loss"), (BASELINE, "val_loss"))},
        holds=Every(
            tuple(
                Within(final(name), (BASELINE,), high=0.1)
                for name in ("train_eval_loss", "val_loss")
            )
        ),
    ),
    claim(
        "no_dropout_better",
        at("4.1 5", tables="3"),
        {"printed": join_printed((BASELINE, "val_loss"), (NO_DROPOUT, "val_loss"))},
        holds=Ranked(level("val_loss"), NO_DROPOUT, BASELINE),
    ),
    claim(
        "no_dropout_halves",
        at("4.1 5", tables="3"),
        {
            "much": str(MUCH),
            "printed": join_printed((BASELINE, "val_loss"), (NO_DROPOUT, "val_loss")),
        },
        **give_words_a_number(
            MUCH, lambda much: Ranked(level("val_loss"), NO_DROPOUT, BASELINE, times=much)
        ),
    ),
    claim(
        "dropout_ratio",
        at(tables="3"),
        {"reach": f"{LOSS_REACH:.0%}", "printed": f"{PUBLISHED_RATIO:.2f}"},
        **give_words_a_number(
            LOSS_REACH,
            lambda reach: Near(
                quantities.RUNNING_RATIO, BASELINE, PUBLISHED_RATIO, reach * PUBLISHED_RATIO
            ),
        ),
    ),
    claim(
        "baseline_acceptable",
        at("4.1", figures="7"),
        holds=Within(pictures.COARSE, (BASELINE,), low=HALF),
    ),
    claim(
        "baseline_omits_detail",
        at("4.1", figures="7"),
        holds=Within(pictures.FINE, (BASELINE,), high=HALF),
    ),
    claim(
        "wide_most_detail",
        at("4.1", figures="7"),
        holds=Within(pictures.FINE, (WIDE,), low=HALF),
    ),
    claim("wide_detail", at("4.1", figures="7"), holds=Ranked(pictures.FINE, BASELINE, WIDE)),
    claim(
        "wide_contrast",
        at("4.1 5", figures="7"),
        {"margin": f"{MARGIN:.0%}"},
        **give_words_a_number(
            MARGIN, lambda margin: Within(pictures.FINE_CONTRAST, (WIDE,), high=1 - margin)
        ),
    ),
    claim("wide_slower", at("4.1 5"), holds=Ranked(quantities.CPU_SECONDS, AVG_POOLING, WIDE)),
    claim(
        "avg_pooling_smooths",
        at("4.1 5"),
        holds=Ranked(pictures.TOTAL_VARIATION, AVG_POOLING, BATCHNORM),
    ),
    claim(
        "avg_pooling_contrast",
        at("4.1"),
        holds=Ranked(pictures.CONTRAST, AVG_POOLING, BATCHNORM),
    ),
)
