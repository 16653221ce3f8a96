"""transfer: does pretraining help? Encoder pretrained or random × everything or the head trained.

The pretrained arms are mansilla's two classifiers; the random ones are declared here. No report
asks this question. Tested is whether a classifier gains from an encoder that an autoencoder has
trained. A published work of this course loaded trained weights into its "untrained" arms and
concluded that pretraining does not help. To exclude that, records hold digests of the weights.
Cost: about five minutes an experiment on a CPU core; no autoencoder is trained for them.

    python -m experiments.transfer all --seeds 3
    keras-fmnist study 'transfer/*' 'mansilla/classifier_*' --seeds 3   # all four arms
"""

import sys
from dataclasses import replace

from experiments.mansilla import CLASSIFIER_FROZEN, CLASSIFIER_FULL
from experiments.words import declare
from keras_fmnist.claims.criteria import Ranked
from keras_fmnist.claims.places import at
from keras_fmnist.claims.quantities import level
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

SPECS = (RANDOM_FULL, RANDOM_HEAD)
ARMS = (CLASSIFIER_FULL, CLASSIFIER_FROZEN, *SPECS)

# Questions of ours, each with the eight seeds of mansilla's, of which 0 to 2 had been run.
CLAIMS = (
    declare(
        "transfer",
        "full_gains",
        at("V", report="mansilla"),
        seeds=8,
        seen=3,
        holds=Ranked(level("val_accuracy"), RANDOM_FULL, CLASSIFIER_FULL),
    ),
    declare(
        "transfer",
        "head_gains",
        at("V.A", report="mansilla"),
        seeds=8,
        seen=3,
        holds=Ranked(level("val_accuracy"), RANDOM_HEAD, CLASSIFIER_FROZEN),
    ),
)

if __name__ == "__main__":
    sys.exit(app.main(build_experiment_commands(SPECS), "transfer"))
