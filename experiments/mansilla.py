"""mansilla: a convolutional autoencoder, four changes to it, and two classifiers on its encoder.

Claim: a longer code helps, SGD does not, and training the whole classifier beats training its head.
Cost: about ten minutes an experiment on two CPU cores.

    python -m experiments.mansilla base
    python -m experiments.mansilla all --seed 1
"""

import sys
from dataclasses import replace

from keras_fmnist.cli import app
from keras_fmnist.cli.commands.train import build_experiment_commands
from keras_fmnist.specs import AutoencoderSpec, ClassifierSpec

# Section II: n = 64, p = 0.2, lr 0.001, 15 epochs, batch 100, MSE, Adam: the defaults of a spec.
BASE = AutoencoderSpec(
    report="mansilla",
    name="base",
    summary="n = 64, dropout 0.2, Adam",
    printed={"deconv2": "k4s2o1"},  # open question 1
)

UNTRAINED = replace(BASE, name="untrained", summary="base, never trained", epochs=0)
DROPOUT_01 = replace(BASE, name="dropout_01", summary="base with dropout 0.1", dropout=0.1)
LATENT_256 = replace(DROPOUT_01, name="latent_256", summary="dropout_01 with n = 256", latent=256)
# Open question 5: the optimiser changes "finally", which we read as added to the other changes.
SGD = replace(LATENT_256, name="sgd", summary="latent_256 with SGD", optimizer="sgd")

# Ours: is it only that the step is too small? Adam divides it by the size of the gradients.
SGD_RATE = replace(SGD, name="sgd_rate", summary="sgd with rate 0.1", learning_rate=0.1)
SGD_MOMENTUM = replace(
    SGD_RATE, name="sgd_momentum", summary="sgd with rate 0.1 and momentum 0.9", momentum=0.9
)

# Ours: after training, half of the numbers in a code of base are zero for every image. Does the
# ReLU on the code cost what a PCA of the same size is ahead?
LINEAR_CODE = replace(
    BASE, name="linear_code", summary="base without the ReLU on the code", code_relu=False
)

CLASSIFIER_FULL = ClassifierSpec(
    report="mansilla",
    name="classifier_full",
    summary="encoder of base, everything trained",
    autoencoder=BASE,
    # Section V: the row of true shirts in figure 13.
    published={"shirt_as_shirt": 713, "shirt_as_tshirt": 142, "shirt_as_pullover": 60},
)
CLASSIFIER_FROZEN = replace(
    CLASSIFIER_FULL,
    name="classifier_frozen",
    summary="encoder of base frozen, only the head trained",
    frozen=True,
    published={},
)

SPECS = (
    *(UNTRAINED, BASE, DROPOUT_01, LATENT_256, SGD, CLASSIFIER_FULL, CLASSIFIER_FROZEN),
    *(SGD_RATE, SGD_MOMENTUM, LINEAR_CODE),
)

if __name__ == "__main__":
    sys.exit(app.main(build_experiment_commands(SPECS), "mansilla"))
