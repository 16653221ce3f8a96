"""transfer: does pretraining help? Encoder pretrained or random × everything trained or the head.

Claim under test: a classifier gains from an encoder that an autoencoder has trained (mansilla,
section V, takes it for granted). A published work of this course loaded trained weights into its
"untrained" arms and concluded that pretraining does not help: the records hold the digests.
Cost: about seven minutes an experiment on two CPU cores, and mansilla/base once a seed.

    python -m experiments.transfer all --seeds 3
"""

import sys
from dataclasses import replace

from experiments.mansilla import CLASSIFIER_FROZEN, CLASSIFIER_FULL
from keras_fmnist import cli, menu
from keras_fmnist.claims import Claim
from keras_fmnist.readings import final
from keras_fmnist.verdicts import Ranked

PRETRAINED_FULL = replace(
    CLASSIFIER_FULL,
    report="transfer",
    name="pretrained_full",
    summary="encoder of mansilla's base, everything trained",
    published={},
)
PRETRAINED_HEAD = replace(
    CLASSIFIER_FROZEN,
    report="transfer",
    name="pretrained_head",
    summary="encoder of mansilla's base, only the head trained",
)
RANDOM_FULL = replace(
    PRETRAINED_FULL,
    name="random_full",
    summary="random encoder, everything trained",
    pretrained=False,
)
RANDOM_HEAD = replace(
    PRETRAINED_HEAD,
    name="random_head",
    summary="random encoder, only the head trained",
    pretrained=False,
)

SPECS = (PRETRAINED_FULL, PRETRAINED_HEAD, RANDOM_FULL, RANDOM_HEAD)

CLAIMS = (
    Claim(
        name="full_gains",
        claim="everything trained: validation accuracy is higher from the pretrained encoder",
        where="mansilla, section V",
        published="taken for granted",
        holds=Ranked(final("val_accuracy"), RANDOM_FULL, PRETRAINED_FULL),
    ),
    Claim(
        name="head_gains",
        claim="only the head trained: validation accuracy is higher on the pretrained encoder",
        where="mansilla, section V.A",
        published="taken for granted",
        holds=Ranked(final("val_accuracy"), RANDOM_HEAD, PRETRAINED_HEAD),
    ),
)

if __name__ == "__main__":
    sys.exit(cli.main(menu.experiments(SPECS), "transfer"))
