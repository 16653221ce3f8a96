"""For each claim of manolucos what its experiments show where it holds, and where it does not."""

from experiments import manolucos_claims, manolucos_classifier_claims
from tests.helpers.worlds import (
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
    stepping,
    taking,
    turning,
    val_accuracies,
    val_losses,
    wobbling,
)

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
