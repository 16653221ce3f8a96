"""For each claim what its experiments show where it holds, and where it does not."""

from experiments import manolucos_claims
from experiments.__main__ import CATALOGUE
from tests.helpers.worlds import (
    accuracies,
    both,
    explaining,
    falling,
    losses,
    matrix,
    printed,
    rising,
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
    "base_rises": (
        {"base": both(turning(0.3))},
        {"base": losses(falling(0.4), turning(0.3))},
    ),
    "base_reconstructs": ({"base": explaining(0.6)}, {"base": explaining(-0.5)}),
    "dropout_01_steadier": (
        val_losses(dropout_01=wobbling(0.01), base=wobbling(0.02)),
        val_losses(dropout_01=wobbling(0.02), base=wobbling(0.01)),
    ),
    "dropout_01_alike": (
        val_losses(dropout_01=0.031, base=0.030),
        val_losses(dropout_01=0.026, base=0.030),
    ),
    "latent_256_better": (
        val_losses(latent_256=0.02, dropout_01=0.05, base=0.05),
        val_losses(latent_256=0.02, dropout_01=0.03, base=0.05),
    ),
    "latent_256_detail": (
        {"dropout_01": explaining(0.6), "latent_256": explaining(0.8)},
        {"dropout_01": explaining(0.8), "latent_256": explaining(0.6)},
    ),
    "dropout_01_reconstructs": (
        {"dropout_01": explaining(0.6)},
        {"dropout_01": explaining(-0.5)},
    ),
    "latent_256_falls": (
        {"latent_256": both(falling(0.1))},
        {"latent_256": losses(falling(0.1), stepping(falling(0.1)))},
    ),
    "latent_256_gap": (
        {"latent_256": losses(0.0200, 0.0202), "dropout_01": losses(0.0300, 0.0301)},
        {"latent_256": losses(0.0200, 0.0232), "dropout_01": losses(0.0300, 0.0301)},
    ),
    "sgd_falls": (
        {"sgd": both(falling(0.1))},
        {"sgd": losses(stepping(falling(0.1)), falling(0.1))},
    ),
    "sgd_worse": (
        val_losses(sgd=0.07, base=0.03, dropout_01=0.03, latent_256=0.02),
        val_losses(sgd=0.05, base=0.03, dropout_01=0.03, latent_256=0.02),
    ),
    "sgd_blind": ({"sgd": explaining(-0.5)}, {"sgd": explaining(0.3)}),
    "full_falls": (
        {"classifier_full": both(wobbling(0.01, falling(0.3)))},
        {"classifier_full": losses(falling(0.3), turning(0.4))},
    ),
    "full_rises": (
        {"classifier_full": both(rising, "accuracy")},
        {"classifier_full": accuracies(rising, stepping(rising))},
    ),
    "full_best_classes": (
        {"classifier_full": matrix(**BEST)},
        {"classifier_full": matrix(**BEST, shirt=960)},
    ),
    "full_shirts": (
        {"classifier_full": matrix(errors=SHIRTS)},
        {"classifier_full": matrix(errors=SHIRTS | {"shirt": 638})},
    ),
    "full_hard_classes": (
        {"classifier_full": matrix(shirt=700, coat=800, errors={"coat": 150})},
        {"classifier_full": matrix(shirt=700, coat=800, errors={"bag": 150})},
    ),
    "frozen_loss": (
        {"classifier_full": {"val_loss": 0.3}, "classifier_frozen": both(falling(0.8))},
        {"classifier_full": {"val_loss": 0.3}, "classifier_frozen": both(falling(0.5))},
    ),
    "frozen_flattens": (
        {"classifier_frozen": both(settling, "accuracy")},
        {"classifier_frozen": accuracies(rising, settling)},
    ),
    "frozen_diagonal": (
        {"classifier_frozen": matrix(700), "classifier_full": matrix(900)},
        {"classifier_frozen": matrix(700, shirt=910), "classifier_full": matrix(900)},
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


ORDER = {"baseline": 9, "no_dropout": 8, "batchnorm": 7, "avg_pooling": 6, "wide": 5}


ROWS = (*manolucos_claims.AUTOENCODERS, *manolucos_claims.CLASSIFIERS)


MANOLUCOS_CASES = {
    **{
        f"{spec.name}_row": (
            {spec.name: printed(spec)},
            {spec.name: printed(spec) | {"val_loss": 1.2 * spec.published["val_loss"]}},
        )
        for spec in ROWS
    },
    "order": (val_losses(**ORDER), val_losses(**ORDER | {"avg_pooling": 7.5})),
    "baseline_below_10": (
        {"baseline": losses(0.08, 0.07)},
        {"baseline": losses(0.12, 0.07)},
    ),
    "wide_slower": (
        {"avg_pooling": taking(100), "wide": taking(500)},
        {"avg_pooling": taking(500), "wide": taking(100)},
    ),
    "no_dropout_halves": (
        val_losses(no_dropout=0.03, baseline=0.07),
        val_losses(no_dropout=0.03, baseline=0.05),
    ),
    "dropout_ratio": (
        {"baseline": {"loss": 0.0858, "val_loss": 0.0726}},
        {"baseline": {"loss": 0.0726, "val_loss": 0.0726}},
    ),
    "wide_detail": (
        {"baseline": explaining(0.5), "wide": explaining(0.9)},
        {"baseline": explaining(0.9), "wide": explaining(0.5)},
    ),
    "above_90": (
        val_accuracies(classifier_baseline=0.91, classifier_fc_adam=0.91, classifier_fc_sgd=0.91),
        val_accuracies(classifier_baseline=0.91, classifier_fc_adam=0.89, classifier_fc_sgd=0.91),
    ),
    "baseline_overfits": (
        val_losses(classifier_baseline=turning(0.5)),
        val_losses(classifier_baseline=turning(0.2)),
    ),
    "fc_faster": (
        {
            "classifier_fc_adam": {"train_eval_loss": falling(0.1)},
            "classifier_baseline": {"train_eval_loss": falling(0.2)},
        },
        {
            "classifier_fc_adam": {"train_eval_loss": falling(0.1)},
            "classifier_baseline": {"train_eval_loss": lambda n: falling(0.3)(n) - 0.25},
        },
    ),
    "fc_more_accurate": (
        val_accuracies(classifier_fc_adam=0.92, classifier_baseline=0.91),
        val_accuracies(classifier_fc_adam=0.91, classifier_baseline=0.92),
    ),
    "fc_overfits": (
        val_losses(
            classifier_fc_adam=wobbling(0.05, turning(0.3)), classifier_baseline=turning(0.3)
        ),
        val_losses(
            classifier_fc_adam=wobbling(0.05, falling(0.3)), classifier_baseline=turning(0.3)
        ),
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
    "sgd_equal": (
        {"classifier_fc_sgd": accuracies(0.920, 0.915)},
        {"classifier_fc_sgd": accuracies(0.9465, 0.9148)},
    ),
    "adam_faster": (
        {
            "classifier_fc_adam": {"train_eval_accuracy": lambda n: rising(n) + 0.05},
            "classifier_fc_sgd": {"train_eval_accuracy": rising},
        },
        {
            "classifier_fc_adam": {"train_eval_accuracy": lambda n: rising(n) - 0.05},
            "classifier_fc_sgd": {"train_eval_accuracy": rising},
        },
    ),
    "shirt_confused": (
        {"classifier_fc_adam": matrix(errors={"t-shirt": 90, "pullover": 60, "coat": 50})},
        {"classifier_fc_adam": matrix(errors={"t-shirt": 90, "pullover": 60, "dress": 50})},
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
