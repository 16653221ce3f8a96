"""For each claim what its experiments show where it holds, and where it does not."""

from experiments.__main__ import CATALOGUE
from tests.helpers.manolucos_cases import MANOLUCOS_CASES
from tests.helpers.worlds import (
    MEAN_IMAGE,
    PCA,
    accuracies,
    both,
    explaining,
    falling,
    losses,
    matrix,
    rising,
    rising_later,
    settling,
    stepping,
    turning,
    val_accuracies,
    val_losses,
    wobbling,
)

SPECS = {spec.id: spec for spec in CATALOGUE.specs}


BEST = dict.fromkeys(("trouser", "sandal", "sneaker", "bag", "ankle"), 950)


SHIRTS = {"shirt": 713, "t-shirt": 142, "pullover": 60}


MANSILLA_CASES = {
    "untrained_blind": ({"untrained": explaining(-0.5)}, {"untrained": explaining(0.3)}),
    "base_first_fall": ({"base": both(falling(0.4))}, {"base": losses(falling(0.4), rising)}),
    "base_rises": ({"base": both(rising_later)}, {"base": losses(falling(0.4), rising_later)}),
    "base_wobbles": (
        {"base": both(wobbling(0.01))},
        {"base": losses(falling(0.4), wobbling(0.01))},
    ),
    "base_reconstructs": ({"base": explaining(0.6, 0.2)}, {"base": explaining(0.4, 0.6)}),
    "base_poor": ({"base": explaining(0.6, 0.4)}, {"base": explaining(0.4, 0.6)}),
    "base_low_error": (
        {"base": {"val_loss": 0.4 * MEAN_IMAGE}},
        {"base": {"val_loss": 0.6 * MEAN_IMAGE}},
    ),
    "dropout_01_steadier": (
        val_losses(dropout_01=wobbling(0.01), base=wobbling(0.02)),
        val_losses(dropout_01=wobbling(0.02), base=wobbling(0.01)),
    ),
    "dropout_01_alike": (
        val_losses(dropout_01=0.031, base=0.030),
        val_losses(dropout_01=0.026, base=0.030),
    ),
    "dropout_01_reconstructs": (
        {"dropout_01": explaining(0.6, 0.2)},
        {"dropout_01": explaining(0.4, 0.6)},
    ),
    "dropout_01_loses_detail": (
        {"dropout_01": explaining(0.6, 0.4)},
        {"dropout_01": explaining(0.4, 0.6)},
    ),
    "latent_256_better": (
        val_losses(latent_256=0.02, dropout_01=0.03, base=0.03),
        val_losses(latent_256=0.02, dropout_01=0.014, base=0.03),
    ),
    "latent_256_much_better": (
        val_losses(latent_256=0.02, dropout_01=0.05, base=0.05),
        val_losses(latent_256=0.02, dropout_01=0.032, base=0.05),
    ),
    "latent_256_falls": (
        {"latent_256": both(falling(0.1))},
        {"latent_256": losses(falling(0.1), stepping(falling(0.1)))},
    ),
    "latent_256_gap": (
        {"latent_256": losses(0.0200, 0.0202), "dropout_01": losses(0.0300, 0.0301)},
        {"latent_256": losses(0.0200, 0.0232), "dropout_01": losses(0.0300, 0.0301)},
    ),
    "latent_256_detail": (
        {"dropout_01": explaining(0.7, 0.4), "latent_256": explaining(0.7, 0.6)},
        {"dropout_01": explaining(0.7, 0.6), "latent_256": explaining(0.7, 0.4)},
    ),
    "sgd_falls": (
        {"sgd": both(falling(0.1))},
        {"sgd": losses(falling(0.1), wobbling(0.01, falling(0.1)))},
    ),
    "sgd_worse": (
        val_losses(sgd=0.04, base=0.03, dropout_01=0.03, latent_256=0.02),
        val_losses(sgd=0.02, base=0.03, dropout_01=0.01, latent_256=0.01),
    ),
    "sgd_much_worse": (
        val_losses(sgd=0.09, base=0.03, dropout_01=0.03, latent_256=0.02),
        val_losses(sgd=0.04, base=0.03, dropout_01=0.03, latent_256=0.01),
    ),
    "sgd_blind": ({"sgd": explaining(-0.5)}, {"sgd": explaining(0.3)}),
    "sgd_rate": (val_losses(sgd_rate=0.04, sgd=0.09), val_losses(sgd_rate=0.05, sgd=0.09)),
    "sgd_momentum": (
        val_losses(sgd_momentum=0.021, latent_256=0.02),
        val_losses(sgd_momentum=0.023, latent_256=0.02),
    ),
    "code_relu_costs": (
        val_losses(linear_code=0.03, base=0.04),
        val_losses(linear_code=0.04, base=0.03),
    ),
    "linear_code_below_pca": (
        {"linear_code": {"val_loss": 1.1 * PCA}},
        {"linear_code": {"val_loss": 0.9 * PCA}},
    ),
    "full_falls": (
        {"classifier_full": both(wobbling(0.01, falling(0.3)))},
        {"classifier_full": losses(falling(0.3), turning(0.4))},
    ),
    "full_low_error": (
        {"classifier_full": {"val_loss": 0.9}},
        {"classifier_full": {"val_loss": 1.4}},
    ),
    "full_rises": (
        {"classifier_full": both(rising, "accuracy")},
        {"classifier_full": accuracies(rising, stepping(rising))},
    ),
    "full_mostly_right": (
        {"classifier_full": matrix(shirt=600)},
        {"classifier_full": matrix(shirt=400)},
    ),
    "full_best_classes": (
        {"classifier_full": matrix(**BEST)},
        {"classifier_full": matrix(**BEST, shirt=990)},
    ),
    "full_shirts": (
        {"classifier_full": matrix(errors=SHIRTS)},
        {"classifier_full": matrix(errors=SHIRTS | {"shirt": 500})},
    ),
    "full_hard_classes": (
        {"classifier_full": matrix(shirt=700, coat=800)},
        {"classifier_full": matrix(shirt=700, coat=990)},
    ),
    "full_upper_errors": (
        {"classifier_full": matrix(errors={"coat": 150})},
        {"classifier_full": matrix(errors={"bag": 150})},
    ),
    "frozen_falls": (
        {"classifier_frozen": both(falling(0.8))},
        {"classifier_frozen": losses(falling(0.8), rising)},
    ),
    "frozen_larger": (
        val_losses(classifier_frozen=0.4, classifier_full=0.3),
        val_losses(classifier_frozen=0.2, classifier_full=0.3),
    ),
    "frozen_much_larger": (
        val_losses(classifier_frozen=0.8, classifier_full=0.3),
        val_losses(classifier_frozen=0.4, classifier_full=0.3),
    ),
    "frozen_rises": (
        {"classifier_frozen": both(rising, "accuracy")},
        {"classifier_frozen": accuracies(rising, lambda n: rising(n)[::-1])},
    ),
    "frozen_settles": (
        {"classifier_frozen": both(settling, "accuracy")},
        {"classifier_frozen": accuracies(rising, settling)},
    ),
    "frozen_wobbles": (
        {"classifier_frozen": both(settling, "accuracy")},
        {"classifier_frozen": accuracies(rising, settling)},
    ),
    "frozen_diagonal": (
        {"classifier_frozen": matrix(700), "classifier_full": matrix(900)},
        {"classifier_frozen": matrix(700, shirt=990), "classifier_full": matrix(900)},
    ),
    "complex_better": (
        val_losses(latent_256=0.02, dropout_01=0.03)
        | val_accuracies(classifier_frozen=0.7, classifier_full=0.9),
        val_losses(latent_256=0.02, dropout_01=0.03)
        | val_accuracies(classifier_frozen=0.7, classifier_full=0.6),
    ),
    "gap_grows": (
        {
            "dropout_01": losses(0.03, 0.031),
            "latent_256": losses(0.02, 0.022),
            "classifier_frozen": losses(0.8, 0.81),
            "classifier_full": losses(0.2, 0.3),
        },
        {
            "dropout_01": losses(0.03, 0.032),
            "latent_256": losses(0.02, 0.021),
            "classifier_frozen": losses(0.8, 0.81),
            "classifier_full": losses(0.2, 0.3),
        },
    ),
}
TRANSFER_CASES = {
    "full_gains": (
        val_accuracies(classifier_full=0.90, random_full=0.89),
        val_accuracies(classifier_full=0.89, random_full=0.90),
    ),
    "head_gains": (
        val_accuracies(classifier_frozen=0.75, random_head=0.70),
        val_accuracies(classifier_frozen=0.70, random_head=0.75),
    ),
    "relu_costs_frozen": (
        val_accuracies(classifier_frozen=0.70, frozen_without_relu=0.75),
        val_accuracies(classifier_frozen=0.75, frozen_without_relu=0.70),
    ),
    "relu_costs_random_head": (
        val_accuracies(random_head=0.40, random_head_without_relu=0.70),
        val_accuracies(random_head=0.70, random_head_without_relu=0.60),
    ),
    "linear_full_gains": (
        val_accuracies(full_without_relu=0.90, random_full_without_relu=0.89),
        val_accuracies(full_without_relu=0.89, random_full_without_relu=0.90),
    ),
    "linear_head_gains": (
        val_accuracies(frozen_without_relu=0.75, random_head_without_relu=0.70),
        val_accuracies(frozen_without_relu=0.70, random_head_without_relu=0.75),
    ),
    "linear_head_gains_little": (
        val_accuracies(frozen_without_relu=0.78, random_head_without_relu=0.70),
        val_accuracies(frozen_without_relu=0.82, random_head_without_relu=0.70),
    ),
}


CASES = {
    f"{name}/{claim}": worlds
    for name, cases in (
        ("mansilla", MANSILLA_CASES),
        ("manolucos", MANOLUCOS_CASES),
        ("transfer", TRANSFER_CASES),
    )
    for claim, worlds in cases.items()
}


CLAIMS = CATALOGUE.claims


RISES = next(claim for claim in CLAIMS if claim.name == "base_rises")


ALIKE = next(claim for claim in CLAIMS if claim.name == "dropout_01_alike")


DETAIL = next(claim for claim in CLAIMS if claim.name == "wide_detail")
