"""transfer: does pretraining help? Encoder pretrained or random × everything or the head trained.

The pretrained arms are mansilla's two classifiers; the random ones are declared here. No report
asks this question. Tested is whether a classifier gains from an encoder that an autoencoder has
trained. A published work of this course loaded trained weights into its "untrained" arms and
concluded that pretraining does not help. To exclude that, records hold digests of the weights.

The four arms are trained without the ReLU on the logits, too. A logit that it holds at 0 for every
image gets no gradient, so its class is lost; in seeds 0 to 2 the accuracy of a frozen classifier
fell by 8.6 points for each such logit. How much of what pretraining seems to bring to a frozen
encoder is this? `probe_accuracy` in each record is that of a ridge classifier on the same codes,
which no logit and no optimiser can spoil.
Cost: about five minutes an experiment on a CPU core; no autoencoder is trained for them.

    python -m experiments.transfer all --seeds 3
    keras-fmnist study 'transfer/*' 'mansilla/classifier_*' --seeds 3   # all eight arms
"""

import sys
from dataclasses import replace
from functools import partial

from experiments.mansilla import CLASSIFIER_FROZEN, CLASSIFIER_FULL
from experiments.words import declare
from keras_fmnist.claims.claim import give_words_a_number
from keras_fmnist.claims.criteria import Ranked, Within
from keras_fmnist.claims.places import at
from keras_fmnist.claims.quantities import compare, level
from keras_fmnist.cli import app
from keras_fmnist.cli.commands.train import build_experiment_commands

RANDOM_FULL = replace(
    CLASSIFIER_FULL,
    report="transfer",
    name="random_full",
    summary="random encoder, everything trained",
    pretrained=False,
    published={},
)
RANDOM_HEAD = replace(
    CLASSIFIER_FROZEN,
    report="transfer",
    name="random_head",
    summary="random encoder, only the head trained",
    pretrained=False,
)

ARMS = (CLASSIFIER_FULL, CLASSIFIER_FROZEN, RANDOM_FULL, RANDOM_HEAD)
LINEAR_ARMS = tuple(
    replace(
        arm,
        report="transfer",
        name=f"{arm.name.removeprefix('classifier_')}_without_relu",
        summary=f"{arm.name} without the ReLU on the logits",
        relu_logits=False,
        published={},
    )
    for arm in ARMS
)
LINEAR_FULL, LINEAR_FROZEN, LINEAR_RANDOM_FULL, LINEAR_RANDOM_HEAD = LINEAR_ARMS

SPECS = (RANDOM_FULL, RANDOM_HEAD, *LINEAR_ARMS)
POINTS = 0.10  # of accuracy: what pretraining brings to a frozen encoder is less, we expect
ACCURACY = level("val_accuracy")

without_relu = partial(declare, "transfer", where=at("V.A", report="mansilla"), seeds=8, seen=0)
# Questions of ours, each with the eight seeds of mansilla's, of which 0 to 2 had been run.
CLAIMS = (
    declare(
        "transfer",
        "full_gains",
        at("V", report="mansilla"),
        seeds=8,
        seen=3,
        holds=Ranked(ACCURACY, RANDOM_FULL, CLASSIFIER_FULL),
    ),
    declare(
        "transfer",
        "head_gains",
        at("V.A", report="mansilla"),
        seeds=8,
        seen=3,
        holds=Ranked(ACCURACY, RANDOM_HEAD, CLASSIFIER_FROZEN),
    ),
    # Written before any arm without the ReLU had been run.
    without_relu(
        "relu_costs_frozen",
        holds=Within(compare(ACCURACY), (LINEAR_FROZEN, CLASSIFIER_FROZEN), high=0),
    ),
    without_relu("relu_costs_random_head", holds=Ranked(ACCURACY, RANDOM_HEAD, LINEAR_RANDOM_HEAD)),
    without_relu("linear_full_gains", holds=Ranked(ACCURACY, LINEAR_RANDOM_FULL, LINEAR_FULL)),
    without_relu("linear_head_gains", holds=Ranked(ACCURACY, LINEAR_RANDOM_HEAD, LINEAR_FROZEN)),
    without_relu(
        "linear_head_gains_little",
        values={"points": f"{POINTS * 100:.0f}"},
        **give_words_a_number(
            POINTS,
            lambda points: Within(
                compare(ACCURACY), (LINEAR_RANDOM_HEAD, LINEAR_FROZEN), high=points
            ),
        ),
    ),
)

if __name__ == "__main__":
    sys.exit(app.main(build_experiment_commands(SPECS), "transfer"))
