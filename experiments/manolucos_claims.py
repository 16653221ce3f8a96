"""What manolucos prints and claims, and what its words are taken to mean."""

from itertools import pairwise

from experiments.manolucos import (
    AVG_POOLING,
    BASELINE,
    BATCHNORM,
    CLASSIFIER_BASELINE,
    CLASSIFIER_FC_ADAM,
    CLASSIFIER_FC_SGD,
    NO_DROPOUT,
    WIDE,
)
from keras_fmnist.claims import quantities
from keras_fmnist.claims.claim import Claim
from keras_fmnist.claims.criteria import Every, MostSeeds, Near, Ranked, Within
from keras_fmnist.claims.quantities import at_epoch, final
from keras_fmnist.specs import ClassifierSpec

AUTOENCODERS = (BASELINE, NO_DROPOUT, BATCHNORM, AVG_POOLING, WIDE)
CLASSIFIERS = (CLASSIFIER_BASELINE, CLASSIFIER_FC_ADAM, CLASSIFIER_FC_SGD)
THIRD = CLASSIFIER_BASELINE.epochs // 3

# How near a printed number ours must be. A loss: the margin in which `compare` calls two trainings
# equivalent. An accuracy: a point, twice as far as 10 000 other images would move it.
LOSS_REACH = 0.10
ACCURACY_REACH = 0.01

PUBLISHED_RATIO = BASELINE.published["train_eval_loss"] / BASELINE.published["val_loss"]


def _row(spec, where):
    """The claim that ours are near the numbers printed for an experiment."""
    parts = tuple(
        Near(
            final(name),
            spec,
            value,
            ACCURACY_REACH if name.endswith("accuracy") else LOSS_REACH * value,
        )
        for name, value in spec.published.items()
    )
    reach = f"training and validation loss within {LOSS_REACH:.0%}"
    if isinstance(spec, ClassifierSpec):
        reach = f"training and validation accuracy within {100 * ACCURACY_REACH:g} point, " + reach
    return Claim(
        name=f"{spec.name}_row",
        claim=f"{spec.name}: {reach} of the printed ones",
        where=where,
        published=_printed(*((spec, name) for name in spec.published)),
        holds=Every(parts),
    )


def _printed(*numbers):
    """Printed numbers, each given by its experiment and its name: `8.58%, 7.26%`."""
    return ", ".join(f"{spec.published[name]:.2%}" for spec, name in numbers)


CLAIMS = (
    *(_row(spec, "table 3") for spec in AUTOENCODERS),
    Claim(
        name="order",
        claim="each change of the autoencoder lowers its validation loss",
        where="section 4.1, table 3",
        published=_printed(*((spec, "val_loss") for spec in AUTOENCODERS)),
        holds=Every(
            tuple(
                Ranked(final("val_loss"), after, before) for before, after in pairwise(AUTOENCODERS)
            )
        ),
    ),
    Claim(
        name="baseline_below_10",
        claim="both of baseline's losses are below 10 %",
        where="section 4.1",
        published="below 10 %: " + _printed((BASELINE, "train_eval_loss"), (BASELINE, "val_loss")),
        holds=Every(
            tuple(
                Within(final(name), (BASELINE,), high=0.1)
                for name in ("train_eval_loss", "val_loss")
            )
        ),
    ),
    Claim(
        name="no_dropout_halves",
        claim="baseline's validation loss is at least twice no_dropout's",
        where="section 4.1, table 3",
        published="improves significantly: "
        + _printed((BASELINE, "val_loss"), (NO_DROPOUT, "val_loss")),
        holds=Ranked(final("val_loss"), NO_DROPOUT, BASELINE, times=2),
    ),
    Claim(
        name="dropout_ratio",
        claim="baseline's training loss as it ran, dropout on, exceeds its validation loss as much "
        f"as printed, within {LOSS_REACH:.0%}",
        where="table 3",
        published=f"{PUBLISHED_RATIO:.2f}",
        holds=Near(
            quantities.RUNNING_RATIO, BASELINE, PUBLISHED_RATIO, LOSS_REACH * PUBLISHED_RATIO
        ),
    ),
    Claim(
        name="wide_detail",
        claim="of what tells ten garments apart, wide shows more than baseline",
        where="section 4.1, figure 7",
        published="baseline omits details, wide has most of them",
        holds=Ranked(quantities.EXPLAINED, BASELINE, WIDE),
    ),
    Claim(
        name="wide_slower",
        claim="wide takes more processor time than avg_pooling",
        where="sections 4.1 and 5",
        published="more kernels, at the cost of longer training",
        holds=Ranked(quantities.CPU_SECONDS, AVG_POOLING, WIDE),
    ),
    *(_row(spec, "tables 4 and 5") for spec in CLASSIFIERS),
    Claim(
        name="above_90",
        claim="each classifier's validation accuracy is above 90 %",
        where="sections 4.2 and 5, table 4",
        published="above 90 %: " + _printed(*((spec, "val_accuracy") for spec in CLASSIFIERS)),
        holds=Every(tuple(Within(final("val_accuracy"), (spec,), low=0.9) for spec in CLASSIFIERS)),
    ),
    Claim(
        name="baseline_overfits",
        claim="classifier_baseline's validation loss is lowest in the middle third of the epochs "
        "and higher in the last, in most seeds",
        where="section 4.2, figure 8",
        published="overfits after half of the epochs",
        holds=MostSeeds(quantities.TURNS_HALFWAY, (CLASSIFIER_BASELINE,)),
    ),
    Claim(
        name="fc_faster",
        claim="classifier_fc_adam's training loss is below classifier_baseline's after a third of "
        "the epochs and at the end",
        where="section 4.2, figure 8, table 5",
        published="converges faster, to a lower loss: "
        + _printed(*((spec, "train_eval_loss") for spec in CLASSIFIERS[:2])),
        holds=Every(
            tuple(
                Ranked(reading, CLASSIFIER_FC_ADAM, CLASSIFIER_BASELINE)
                for reading in (at_epoch("train_eval_loss", THIRD), final("train_eval_loss"))
            )
        ),
    ),
    # The table says the contrary.
    Claim(
        name="fc_more_accurate",
        claim="classifier_fc_adam's validation accuracy is above classifier_baseline's",
        where="section 4.2, table 4",
        published="higher, although the table has "
        + _printed(*((spec, "val_accuracy") for spec in CLASSIFIERS[:2])),
        holds=Ranked(final("val_accuracy"), CLASSIFIER_BASELINE, CLASSIFIER_FC_ADAM),
    ),
    Claim(
        name="fc_overfits",
        claim="classifier_fc_adam's validation loss wobbles more than classifier_baseline's and is "
        "higher in the last third than in the middle one, in most seeds",
        where="section 4.2, figure 8",
        published="validation wobbles and overfits",
        holds=Every(
            (
                Ranked(quantities.WOBBLE, CLASSIFIER_BASELINE, CLASSIFIER_FC_ADAM),
                MostSeeds(quantities.OVERFITS, (CLASSIFIER_FC_ADAM,)),
            )
        ),
    ),
    # The conclusions, against the discussion.
    Claim(
        name="fc_adam_keeps",
        claim="classifier_fc_adam's validation loss is not higher in the last third than in the "
        "middle one, in most seeds",
        where="section 5",
        published="with Adam no overfitting",
        holds=MostSeeds(quantities.KEEPS, (CLASSIFIER_FC_ADAM,)),
    ),
    Claim(
        name="sgd_keeps",
        claim="classifier_fc_sgd's validation loss is not higher in the last third than in the "
        "middle one, in most seeds",
        where="section 4.2, figure 8",
        published="no overfitting at all",
        holds=MostSeeds(quantities.KEEPS, (CLASSIFIER_FC_SGD,)),
    ),
    Claim(
        name="sgd_rises",
        claim="both of classifier_fc_sgd's accuracies rise with no visible step down, in most "
        "seeds",
        where="section 4.2, figure 8",
        published="rises steadily",
        holds=MostSeeds(quantities.RISE_THROUGHOUT, (CLASSIFIER_FC_SGD,)),
    ),
    Claim(
        name="sgd_equal",
        claim="classifier_fc_sgd's training and validation accuracy are within "
        f"{100 * ACCURACY_REACH:g} point of each other",
        where="section 4.2, table 4",
        published="equal, although the table has "
        + _printed(*((CLASSIFIER_FC_SGD, n) for n in ("train_eval_accuracy", "val_accuracy"))),
        holds=Within(
            quantities.ACCURACY_GAP, (CLASSIFIER_FC_SGD,), low=-ACCURACY_REACH, high=ACCURACY_REACH
        ),
    ),
    Claim(
        name="adam_faster",
        claim="after a third of the epochs classifier_fc_adam's training accuracy is above "
        "classifier_fc_sgd's",
        where="sections 4.2 and 5, figure 8",
        published="the same results in fewer epochs",
        holds=Ranked(at_epoch("train_eval_accuracy", THIRD), CLASSIFIER_FC_SGD, CLASSIFIER_FC_ADAM),
    ),
    Claim(
        name="shirt_confused",
        claim="true shirts are most often taken for these three, where not for shirts, in most "
        "seeds",
        where="section 4.2, figure 9",
        published="T-shirt/top, pullover, coat",
        holds=MostSeeds(
            quantities.commonest_errors("Shirt", "T-shirt/top", "Pullover", "Coat"),
            (CLASSIFIER_FC_ADAM,),
        ),
    ),
)
