"""transfer: does pretraining help? Encoder pretrained or random × everything trained or the head.

The pretrained arms are mansilla's two classifiers, the random ones are here. No report asks it;
under test is that a classifier gains from an encoder that an autoencoder has trained. A published
work of this course loaded trained weights into its "untrained" arms and concluded that pretraining
does not help: the records hold the digests.
Cost: about five minutes an experiment on a CPU core; no autoencoder is trained for them.

    python -m experiments.transfer all --seeds 3
    keras-fmnist study 'transfer/*' 'mansilla/classifier_*' --seeds 3   # all four arms
"""

import sys
from dataclasses import replace

from experiments.mansilla import CLASSIFIER_FROZEN, CLASSIFIER_FULL
from keras_fmnist.claims.claim import Claim
from keras_fmnist.claims.criteria import Ranked
from keras_fmnist.claims.quantities import final
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

CLAIMS = (
    Claim(
        name="full_gains",
        claim="everything trained: validation accuracy is higher from the pretrained encoder",
        where="mansilla, section V",
        published="not said, a question of ours",
        holds=Ranked(final("val_accuracy"), RANDOM_FULL, CLASSIFIER_FULL),
    ),
    Claim(
        name="head_gains",
        claim="only the head trained: validation accuracy is higher on the pretrained encoder",
        where="mansilla, section V.A",
        published="not said, a question of ours",
        holds=Ranked(final("val_accuracy"), RANDOM_HEAD, CLASSIFIER_FROZEN),
    ),
)

if __name__ == "__main__":
    sys.exit(app.main(build_experiment_commands(SPECS), "transfer"))
