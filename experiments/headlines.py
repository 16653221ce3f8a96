"""What came out of the study, a line each: README.md shows this list.

The numbers and verdicts in braces come from the records (see `keras_fmnist.reporting.numbers`). The
words around them do not: read them again whenever records are added.
"""

HEADLINES = (
    "**A longer code helps, as mansilla says.** With 256 numbers an image instead of 64 the "
    "autoencoder explains {mansilla/latent_256:explained} of the variance of the test images "
    "instead of {mansilla/dropout_01:explained} ({mansilla/latent_256:seeds}).",
    "**PCA does better than his autoencoders, which no report shows.** With 64 numbers and no "
    "training it explains {mansilla/base:pca_explained range}, where `base` explains "
    "{mansilla/base:explained}; with 256, {mansilla/latent_256:pca_explained range}. Part of "
    "the gap is a ReLU on his code: without it `base` explains {mansilla/linear_code:explained} "
    "({mansilla/linear_code:seeds}).",
    "**With a frozen encoder the accuracy depends on the seed:** "
    "{mansilla/classifier_frozen:val_accuracy range}, where training everything gives "
    "{mansilla/classifier_full:val_accuracy range} ({mansilla/classifier_full:seeds}). A ReLU "
    "stands on the logits, and {mansilla/classifier_frozen:dead_logits range} of the ten are zero "
    "for every test image; with everything trained, "
    "{mansilla/classifier_full:dead_logits range}. Without this ReLU the frozen encoder gives "
    "{transfer/frozen_without_relu:val_accuracy range} "
    "({transfer/frozen_without_relu:seeds}).",
    "**Does pretraining help? With everything trained: {transfer/full_gains:verdict}.** On the "
    "pretrained encoder the accuracy is {mansilla/classifier_full:val_accuracy}, on a random one "
    "{transfer/random_full:val_accuracy} ({transfer/random_full:seeds}), where "
    "{transfer/random_full:dead_logits range} of the ten logits are always zero.",
    "**One reading explains manolucos's first two rows:** a pair of linear layers of 784 and no "
    "output activation, as another work of the course has it. His table 2 lists no linear layer. "
    "`no_dropout` ends at {manolucos/no_dropout:val_loss}, printed "
    "{manolucos/no_dropout:printed val_loss}; "
    "`baseline` at {manolucos/baseline:val_loss}, printed {manolucos/baseline:printed val_loss} "
    "({manolucos/baseline:seeds}).",
)
