"""What manolucos claims of its classifiers, and what its words are taken to mean.

The words stand in `texts.toml`.
"""

from experiments.manolucos import CLASSIFIER_BASELINE, CLASSIFIER_FC_ADAM, CLASSIFIER_FC_SGD
from experiments.manolucos_claims import (
    ACCURACY_REACH,
    MUCH,
    VISIBLE,
    claim,
    declare_order,
    declare_rows,
    join_printed,
)
from keras_fmnist.claims import confusions, quantities
from keras_fmnist.claims.claim import give_words_a_number
from keras_fmnist.claims.criteria import Every, Ranked, Within
from keras_fmnist.claims.places import at
from keras_fmnist.claims.quantities import at_epoch, final, level

CLASSIFIERS = (CLASSIFIER_BASELINE, CLASSIFIER_FC_ADAM, CLASSIFIER_FC_SGD)
FROM_SGD = (CLASSIFIER_FC_SGD, CLASSIFIER_BASELINE, CLASSIFIER_FC_ADAM)
EPOCHS = CLASSIFIER_BASELINE.epochs
THIRD = EPOCHS // 3
UPPER = ("T-shirt/top", "Pullover", "Coat")
SMALL = 0.10  # a "very small" share of the true shirts

CLAIMS = (
    *(row for spec in CLASSIFIERS for row in declare_rows(spec, "4 5")),
    declare_order("table_4_training", "train_eval_accuracy", CLASSIFIERS, at(tables="4")),
    declare_order("table_4_validation", "val_accuracy", FROM_SGD, at(tables="4")),
    declare_order("table_5_training", "train_eval_loss", FROM_SGD, at(tables="5")),
    declare_order("table_5_validation", "val_loss", FROM_SGD[::-1], at(tables="5")),
    claim(
        "above_90",
        at("4.2 5", tables="4"),
        {"printed": join_printed(*((spec, "val_accuracy") for spec in CLASSIFIERS))},
        holds=Every(tuple(Within(final("val_accuracy"), (spec,), low=0.9) for spec in CLASSIFIERS)),
    ),
    claim(
        "baseline_overfits",
        at("4.2", figures="8"),
        holds=Within(quantities.LAST_OVER_MIDDLE, (CLASSIFIER_BASELINE,), low=1),
    ),
    claim(
        "baseline_turns_halfway",
        at("4.2", figures="8"),
        {"first": str(THIRD + 1), "last": str(EPOCHS - THIRD)},
        holds=Within(
            quantities.LOWEST_EPOCH, (CLASSIFIER_BASELINE,), low=THIRD + 1, high=EPOCHS - THIRD
        ),
    ),
    claim(
        "fc_faster",
        at("4.2", figures="8"),
        {"epoch": str(THIRD)},
        holds=Ranked(at_epoch("train_eval_loss", THIRD), CLASSIFIER_FC_ADAM, CLASSIFIER_BASELINE),
    ),
    claim(
        "fc_lower",
        at("4.2", tables="5"),
        {"printed": join_printed(*((spec, "train_eval_loss") for spec in CLASSIFIERS[:2]))},
        holds=Ranked(level("train_eval_loss"), CLASSIFIER_FC_ADAM, CLASSIFIER_BASELINE),
    ),
    # The table says the contrary of either reading.
    *(
        claim(
            name,
            at("4.2 5", tables="4"),
            {"printed": join_printed(*((spec, metric) for spec in CLASSIFIERS[:2]))},
            holds=Ranked(level(metric), CLASSIFIER_BASELINE, CLASSIFIER_FC_ADAM),
        )
        for name, metric in (
            ("fc_more_accurate", "val_accuracy"),
            ("fc_more_accurate_training", "train_eval_accuracy"),
        )
    ),
    claim(
        "fc_wobbles",
        at("4.2", figures="8"),
        holds=Ranked(quantities.WOBBLE, CLASSIFIER_BASELINE, CLASSIFIER_FC_ADAM),
    ),
    claim(
        "fc_overfits",
        at("4.2", figures="8"),
        holds=Within(quantities.LAST_OVER_MIDDLE, (CLASSIFIER_FC_ADAM,), low=1),
    ),
    # The conclusions, against the discussion.
    claim(
        "fc_adam_keeps",
        at("5"),
        holds=Within(quantities.LAST_OVER_MIDDLE, (CLASSIFIER_FC_ADAM,), high=1),
    ),
    claim(
        "sgd_keeps",
        at("4.2", figures="8"),
        holds=Within(quantities.LAST_OVER_MIDDLE, (CLASSIFIER_FC_SGD,), high=1),
    ),
    claim(
        "sgd_rises",
        at("4.2", figures="8"),
        {"visible": f"{VISIBLE:.0%}"},
        **give_words_a_number(
            VISIBLE,
            lambda visible: Within(
                quantities.LARGEST_STEP_DOWN, (CLASSIFIER_FC_SGD,), high=visible
            ),
        ),
    ),
    claim(
        "sgd_steadier",
        at("4.2", figures="8"),
        holds=Ranked(quantities.WOBBLE, CLASSIFIER_FC_SGD, CLASSIFIER_FC_ADAM),
    ),
    claim(
        "sgd_equal",
        at("4.2", tables="4"),
        {
            "points": f"{100 * ACCURACY_REACH:g}",
            "printed": join_printed(
                *((CLASSIFIER_FC_SGD, n) for n in ("train_eval_accuracy", "val_accuracy"))
            ),
        },
        **give_words_a_number(
            ACCURACY_REACH,
            lambda reach: Within(
                quantities.ACCURACY_GAP, (CLASSIFIER_FC_SGD,), low=-reach, high=reach
            ),
        ),
    ),
    claim(
        "adam_faster",
        at("4.2 5", figures="8"),
        {"epochs": str(EPOCHS)},
        holds=Within(
            quantities.FIRST_EPOCH_AT, (CLASSIFIER_FC_ADAM, CLASSIFIER_FC_SGD), high=EPOCHS - 1
        ),
    ),
    claim(
        "shirt_confused",
        at("4.2", figures="9"),
        holds=Within(confusions.lead_of_errors("Shirt", *UPPER), (CLASSIFIER_FC_ADAM,), low=0),
    ),
    claim(
        "shirt_little_confused",
        at("4.2", figures="9"),
        {"small": f"{SMALL:.0%}"},
        **give_words_a_number(
            SMALL,
            lambda small: Every(
                tuple(
                    Within(
                        confusions.counted_as("Shirt", name),
                        (CLASSIFIER_FC_ADAM,),
                        high=1000 * small,
                    )
                    for name in UPPER
                )
            ),
        ),
    ),
    claim(
        "fc_adam_clear",
        at("4.2 5", figures="9"),
        {"much": str(MUCH)},
        **give_words_a_number(
            MUCH,
            lambda much: Within(confusions.RIGHT_OVER_ERROR, (CLASSIFIER_FC_ADAM,), low=much),
        ),
    ),
)
