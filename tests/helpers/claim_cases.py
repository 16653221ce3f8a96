"""For each claim what its experiments show where it holds, and where it does not."""

from experiments import manolucos_claims, manolucos_classifier_claims
from experiments.__main__ import CATALOGUE
from tests.helpers.worlds import (
    MEAN_IMAGE,
    accuracies,
    both,
    explaining,
    falling,
    losses,
    matrix,
    ordered,
    printed,
    ran,
    rising,
    rising_later,
    settling,
    stepping,
    taking,
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
SERIES = manolucos_claims.AUTOENCODERS
CLASSIFIERS = manolucos_classifier_claims.CLASSIFIERS
ORDER = {"baseline": 9, "no_dropout": 8, "batchnorm": 7, "avg_pooling": 6, "wide": 5}


MANOLUCOS_CASES = {
    **{
        f"{spec.name}_row": (
            {spec.name: printed(spec)},
            {spec.name: printed(spec) | {"val_loss": 1.2 * spec.published["val_loss"]}},
        )
        for spec in (*SERIES, *CLASSIFIERS)
    },
    **{
        f"{spec.name}_running": ({spec.name: ran(spec)}, {spec.name: ran(spec, 0.8)})
        for spec in (*SERIES, *CLASSIFIERS)
    },
    "order": (val_losses(**ORDER), val_losses(**ORDER | {"avg_pooling": 7.5})),
    "order_training": tuple(
        {name: {"train_eval_loss": value} for name, value in world.items()}
        for world in (ORDER, ORDER | {"avg_pooling": 7.5})
    ),
    "baseline_below_10": (
        {"baseline": losses(0.08, 0.07)},
        {"baseline": losses(0.12, 0.07)},
    ),
    "no_dropout_better": (
        val_losses(no_dropout=0.03, baseline=0.04),
        val_losses(no_dropout=0.03, baseline=0.02),
    ),
    "no_dropout_halves": (
        val_losses(no_dropout=0.03, baseline=0.07),
        val_losses(no_dropout=0.03, baseline=0.05),
    ),
    "dropout_ratio": (
        {"baseline": {"loss": 0.0858, "val_loss": 0.0726}},
        {"baseline": {"loss": 0.0726, "val_loss": 0.0726}},
    ),
    "baseline_acceptable": (
        {"baseline": explaining(0.6, 0.2)},
        {"baseline": explaining(0.4, 0.6)},
    ),
    "baseline_omits_detail": (
        {"baseline": explaining(0.6, 0.4)},
        {"baseline": explaining(0.4, 0.6)},
    ),
    "wide_most_detail": ({"wide": explaining(0.4, 0.6)}, {"wide": explaining(0.6, 0.4)}),
    "wide_detail": (
        {"baseline": explaining(0.5, 0.4), "wide": explaining(0.5, 0.6)},
        {"baseline": explaining(0.5, 0.6), "wide": explaining(0.5, 0.4)},
    ),
    "wide_contrast": ({"wide": explaining(1, 0.9)}, {"wide": explaining(0.9, 1)}),
    "wide_slower": (
        {"avg_pooling": taking(100), "wide": taking(500)},
        {"avg_pooling": taking(500), "wide": taking(100)},
    ),
    "avg_pooling_smooths": (
        {"batchnorm": explaining(0.9), "avg_pooling": explaining(0.9, 0.5)},
        {"batchnorm": explaining(0.9, 0.5), "avg_pooling": explaining(0.9)},
    ),
    "avg_pooling_contrast": (
        {"batchnorm": explaining(0.9), "avg_pooling": explaining(0.9, 0.5)},
        {"batchnorm": explaining(0.9, 0.5), "avg_pooling": explaining(0.9)},
    ),
    "table_4_training": (
        ordered("train_eval_accuracy", 0.98, 0.97, 0.94),
        ordered("train_eval_accuracy", 0.97, 0.98, 0.94),
    ),
    "table_4_validation": (
        ordered("val_accuracy", 0.91, 0.90, 0.92),
        ordered("val_accuracy", 0.91, 0.92, 0.93),
    ),
    "table_5_training": (
        ordered("train_eval_loss", 0.05, 0.04, 0.1),
        ordered("train_eval_loss", 0.05, 0.06, 0.1),
    ),
    "table_5_validation": (
        ordered("val_loss", 0.3, 0.4, 0.2),
        ordered("val_loss", 0.3, 0.2, 0.1),
    ),
    "above_90": (
        ordered("val_accuracy", 0.91, 0.91, 0.91),
        ordered("val_accuracy", 0.91, 0.89, 0.91),
    ),
    "baseline_overfits": (
        val_losses(classifier_baseline=turning(0.3)),
        val_losses(classifier_baseline=falling(0.3)),
    ),
    "baseline_turns_halfway": (
        val_losses(classifier_baseline=turning(0.5)),
        val_losses(classifier_baseline=turning(0.1)),
    ),
    "fc_faster": (
        {
            "classifier_fc_adam": {"train_eval_loss": falling(0.1)},
            "classifier_baseline": {"train_eval_loss": falling(0.2)},
        },
        {
            "classifier_fc_adam": {"train_eval_loss": falling(0.2)},
            "classifier_baseline": {"train_eval_loss": falling(0.1)},
        },
    ),
    "fc_lower": (
        {
            "classifier_fc_adam": {"train_eval_loss": 0.1},
            "classifier_baseline": {"train_eval_loss": 0.2},
        },
        {
            "classifier_fc_adam": {"train_eval_loss": 0.2},
            "classifier_baseline": {"train_eval_loss": 0.1},
        },
    ),
    "fc_more_accurate": (
        val_accuracies(classifier_fc_adam=0.92, classifier_baseline=0.91),
        val_accuracies(classifier_fc_adam=0.91, classifier_baseline=0.92),
    ),
    "fc_more_accurate_training": (
        {
            "classifier_fc_adam": {"train_eval_accuracy": 0.99},
            "classifier_baseline": {"train_eval_accuracy": 0.98},
        },
        {
            "classifier_fc_adam": {"train_eval_accuracy": 0.98},
            "classifier_baseline": {"train_eval_accuracy": 0.99},
        },
    ),
    "fc_wobbles": (
        val_losses(classifier_fc_adam=wobbling(0.02), classifier_baseline=wobbling(0.01)),
        val_losses(classifier_fc_adam=wobbling(0.01), classifier_baseline=wobbling(0.02)),
    ),
    "fc_overfits": (
        val_losses(classifier_fc_adam=turning(0.3)),
        val_losses(classifier_fc_adam=falling(0.3)),
    ),
    "fc_adam_keeps": (
        val_losses(classifier_fc_adam=falling(0.3)),
        val_losses(classifier_fc_adam=turning(0.3)),
    ),
    "sgd_keeps": (
        val_losses(classifier_fc_sgd=falling(0.3)),
        val_losses(classifier_fc_sgd=turning(0.3)),
    ),
    "sgd_rises": (
        {"classifier_fc_sgd": both(rising, "accuracy")},
        {"classifier_fc_sgd": accuracies(stepping(rising), rising)},
    ),
    "sgd_steadier": (
        val_losses(classifier_fc_sgd=wobbling(0.01), classifier_fc_adam=wobbling(0.02)),
        val_losses(classifier_fc_sgd=wobbling(0.02), classifier_fc_adam=wobbling(0.01)),
    ),
    "sgd_equal": (
        {"classifier_fc_sgd": accuracies(0.920, 0.915)},
        {"classifier_fc_sgd": accuracies(0.9465, 0.9148)},
    ),
    "adam_faster": (
        val_accuracies(classifier_fc_adam=rising, classifier_fc_sgd=0.7),
        val_accuracies(classifier_fc_adam=0.6, classifier_fc_sgd=0.7),
    ),
    "shirt_confused": (
        {"classifier_fc_adam": matrix(errors={"t-shirt": 90, "pullover": 60, "coat": 50})},
        {"classifier_fc_adam": matrix(errors={"t-shirt": 90, "pullover": 60, "dress": 50})},
    ),
    "shirt_little_confused": (
        {"classifier_fc_adam": matrix(errors={"t-shirt": 90, "pullover": 60, "coat": 50})},
        {"classifier_fc_adam": matrix(errors={"t-shirt": 120, "pullover": 60, "coat": 50})},
    ),
    "fc_adam_clear": (
        {"classifier_fc_adam": matrix(700, errors={"coat": 300})},
        {"classifier_fc_adam": matrix(700, errors={"coat": 400})},
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
