"""What mansilla claims, and what its words are taken to mean."""

from experiments.mansilla import (
    BASE,
    CLASSIFIER_FROZEN,
    CLASSIFIER_FULL,
    DROPOUT_01,
    LATENT_256,
    SGD,
    UNTRAINED,
)
from keras_fmnist.claims import quantities
from keras_fmnist.claims.claim import Claim
from keras_fmnist.claims.criteria import Every, MostSeeds, Near, Ranked, Within
from keras_fmnist.claims.quantities import final
from keras_fmnist.records.intervals import binomial_reach

# Words without a number get one here. "Much larger" is at least twice as large, and a change that
# is not "significant" one below the margin in which `compare` calls two trainings equivalent.
MUCH = 2
MARGIN = 0.10
# The number of true shirts in figure 13 that were taken for each class.
SHIRTS = {
    "Shirt": CLASSIFIER_FULL.published["shirt_as_shirt"],
    "T-shirt/top": CLASSIFIER_FULL.published["shirt_as_tshirt"],
    "Pullover": CLASSIFIER_FULL.published["shirt_as_pullover"],
}

CLAIMS = (
    Claim(
        name="untrained_blind",
        claim="untrained shows ten garments no better than one picture for all of them would",
        where="section IV, figure 2",
        published="cannot reconstruct",
        holds=Within(quantities.EXPLAINED, (UNTRAINED,), high=0),
    ),
    Claim(
        name="base_rises",
        claim="both of base's losses are higher at epoch 15 than at 5, in most seeds",
        where="section IV, figure 3",
        published="both fall; from epoch 5 they rise a little and wobble",
        holds=MostSeeds(quantities.higher_later(5, 15), (BASE,)),
    ),
    Claim(
        name="base_reconstructs",
        claim="base shows ten garments better than one picture for all of them would",
        where="section IV, figure 4",
        published="reconstructs, not very well",
        holds=Within(quantities.EXPLAINED, (BASE,), low=0),
    ),
    Claim(
        name="dropout_01_steadier",
        claim="from epoch 5 dropout_01's validation loss wobbles less than base's (standard "
        "deviation of the steps)",
        where="section IV, figure 5",
        published="wobbles less",
        holds=Ranked(quantities.WOBBLE, DROPOUT_01, BASE),
    ),
    Claim(
        name="dropout_01_alike",
        claim=f"dropout_01's validation loss is within {MARGIN:.0%} of base's",
        where="section IV, figure 5; section VI",
        published="no significant change",
        holds=Within(
            quantities.ratio("val_loss"), (DROPOUT_01, BASE), low=1 - MARGIN, high=1 + MARGIN
        ),
    ),
    Claim(
        name="dropout_01_reconstructs",
        claim="dropout_01 shows ten garments better than one picture for all of them would",
        where="section IV, figure 6",
        published="captures the general patterns, loses the finest detail",
        holds=Within(quantities.EXPLAINED, (DROPOUT_01,), low=0),
    ),
    Claim(
        name="latent_256_better",
        claim=f"base's and dropout_01's validation losses are at least {MUCH} times latent_256's",
        where="section IV, figure 7",
        published="much better values",
        holds=Every(
            tuple(
                Ranked(final("val_loss"), LATENT_256, other, times=MUCH)
                for other in (BASE, DROPOUT_01)
            )
        ),
    ),
    Claim(
        name="latent_256_falls",
        claim="both of latent_256's losses fall with no visible step up, in most seeds",
        where="section IV, figure 7",
        published="both fall constantly",
        holds=MostSeeds(quantities.FALL_THROUGHOUT, (LATENT_256,)),
    ),
    Claim(
        name="latent_256_gap",
        claim="between dropout_01 and latent_256 the gap (validation minus training loss) changes "
        f"by less than {quantities.VISIBLE:.0%} of the loss",
        where="section IV, figure 7",
        published="curves as near as before",
        holds=Within(
            quantities.GAP_CHANGE,
            (LATENT_256, DROPOUT_01),
            low=-quantities.VISIBLE,
            high=quantities.VISIBLE,
        ),
    ),
    Claim(
        name="latent_256_detail",
        claim="of what tells ten garments apart, latent_256 shows more than dropout_01",
        where="section IV, figure 8; section VI",
        published="captures more detail",
        holds=Ranked(quantities.EXPLAINED, DROPOUT_01, LATENT_256),
    ),
    Claim(
        name="sgd_falls",
        claim="both of sgd's losses fall with no visible step up, in most seeds",
        where="section IV.E, figure 9",
        published="both fall in every epoch",
        holds=MostSeeds(quantities.FALL_THROUGHOUT, (SGD,)),
    ),
    Claim(
        name="sgd_worse",
        claim=f"sgd's validation loss is at least {MUCH} times each earlier one",
        where="section IV.E, figure 9",
        published="far larger than before",
        holds=Every(
            tuple(
                Ranked(final("val_loss"), other, SGD, times=MUCH)
                for other in (BASE, DROPOUT_01, LATENT_256)
            )
        ),
    ),
    Claim(
        name="sgd_blind",
        claim="sgd shows ten garments no better than one picture for all of them would",
        where="section IV.E, figure 10",
        published="cannot reconstruct",
        holds=Within(quantities.EXPLAINED, (SGD,), high=0),
    ),
    Claim(
        name="full_falls",
        claim="both of classifier_full's losses are lower in each third of the epochs than in the "
        "one before, in most seeds",
        where="section V, figure 11",
        published="both fall as the epochs pass",
        holds=MostSeeds(quantities.SINK, (CLASSIFIER_FULL,)),
    ),
    Claim(
        name="full_rises",
        claim="both of classifier_full's accuracies rise with no visible step down, in most seeds",
        where="section V, figure 12",
        published="both rise constantly",
        holds=MostSeeds(quantities.RISE_THROUGHOUT, (CLASSIFIER_FULL,)),
    ),
    Claim(
        name="full_best_classes",
        claim="classifier_full gets these five classes right most often, in most seeds",
        where="section V, figure 13",
        published="trouser, sandal, sneaker, bag, ankle boot",
        holds=MostSeeds(
            quantities.best_classes("Trouser", "Sandal", "Sneaker", "Bag", "Ankle boot"),
            (CLASSIFIER_FULL,),
        ),
    ),
    Claim(
        name="full_shirts",
        claim="true shirts: each count within the printed one's binomial margin (1 000 images)",
        where="section V, figure 13",
        published=", ".join(f"{count} as {name}" for name, count in SHIRTS.items()),
        holds=Every(
            tuple(
                Near(
                    quantities.counted_as("Shirt", name),
                    CLASSIFIER_FULL,
                    count,
                    binomial_reach(count),
                )
                for name, count in SHIRTS.items()
            )
        ),
    ),
    Claim(
        name="full_hard_classes",
        claim="classifier_full gets shirt and coat right least often, in most seeds, and more than "
        "half of their errors are other upper garments",
        where="section V, figure 13",
        published="shirt and coat, alike to other upper garments",
        holds=Every(
            (
                MostSeeds(quantities.worst_classes("Shirt", "Coat"), (CLASSIFIER_FULL,)),
                Within(quantities.UPPER_ERRORS, (CLASSIFIER_FULL,), low=0.5),
            )
        ),
    ),
    Claim(
        name="frozen_loss",
        claim="both of classifier_frozen's losses fall from third to third, in most seeds, and its "
        f"validation loss is at least {MUCH} times classifier_full's",
        where="section V.A, figure 14",
        published="fall alike, with a far larger error",
        holds=Every(
            (
                MostSeeds(quantities.SINK, (CLASSIFIER_FROZEN,)),
                Ranked(final("val_loss"), CLASSIFIER_FULL, CLASSIFIER_FROZEN, times=MUCH),
            )
        ),
    ),
    Claim(
        name="frozen_flattens",
        claim="both of classifier_frozen's accuracies rise, then fall now and again and gain less "
        "than they vary, in most seeds",
        where="section V.A, figure 15",
        published="both rise, settle and wobble",
        holds=MostSeeds(quantities.FLATTENS, (CLASSIFIER_FROZEN,)),
    ),
    Claim(
        name="frozen_diagonal",
        claim="classifier_frozen gets fewer right than classifier_full in all ten classes, in most "
        "seeds",
        where="section V.A, figure 16",
        published="lower in every class",
        holds=MostSeeds(quantities.ALL_CLASSES_LOWER, (CLASSIFIER_FROZEN, CLASSIFIER_FULL)),
    ),
    Claim(
        name="complex_better",
        claim="with more neurons the validation loss is lower, and with more layers trained the "
        "validation accuracy higher",
        where="section VI",
        published="results improve with complexity",
        holds=Every(
            (
                Ranked(final("val_loss"), LATENT_256, DROPOUT_01),
                Ranked(final("val_accuracy"), CLASSIFIER_FROZEN, CLASSIFIER_FULL),
            )
        ),
    ),
    Claim(
        name="gap_grows",
        claim="the gap between validation and training loss is larger with more neurons, and with "
        "more layers trained",
        where="section VI",
        published="the curves move apart with complexity",
        holds=Every(
            (
                Ranked(quantities.GAP, DROPOUT_01, LATENT_256),
                Ranked(quantities.GAP, CLASSIFIER_FROZEN, CLASSIFIER_FULL),
            )
        ),
    ),
)
