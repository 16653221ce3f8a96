"""The figures and tables that the reports print, in their order, and what stands beside each.

Left out is what shows no result: mansilla's figure 1, manolucos's figures 1 to 5, tables 1 and 2.
"""

from experiments import manolucos, mansilla, transfer
from keras_fmnist.claims.catalogue import Exhibit

AUTOENCODERS = (
    manolucos.BASELINE,
    manolucos.NO_DROPOUT,
    manolucos.BATCHNORM,
    manolucos.AVG_POOLING,
    manolucos.WIDE,
)
CLASSIFIERS = (
    manolucos.CLASSIFIER_BASELINE,
    manolucos.CLASSIFIER_FC_ADAM,
    manolucos.CLASSIFIER_FC_SGD,
)

EXHIBITS = {
    "mansilla": (
        Exhibit("figure 2", "reconstructions", (mansilla.UNTRAINED,)),
        Exhibit("figure 3", "curves", (mansilla.BASE,)),
        Exhibit("figure 4", "reconstructions", (mansilla.BASE,)),
        Exhibit("figure 5", "curves", (mansilla.DROPOUT_01,)),
        Exhibit("figure 6", "reconstructions", (mansilla.DROPOUT_01,)),
        Exhibit("figure 7", "curves", (mansilla.LATENT_256,)),
        Exhibit("figure 8", "reconstructions", (mansilla.LATENT_256,)),
        Exhibit("figure 9", "curves", (mansilla.SGD,)),
        Exhibit("figure 10", "reconstructions", (mansilla.SGD,)),
        Exhibit("figure 11", "curves", (mansilla.CLASSIFIER_FULL,)),
        Exhibit("figure 12", "curves", (mansilla.CLASSIFIER_FULL,), metric="accuracy"),
        Exhibit("figure 13", "confusion", (mansilla.CLASSIFIER_FULL,)),
        Exhibit("figure 14", "curves", (mansilla.CLASSIFIER_FROZEN,)),
        Exhibit("figure 15", "curves", (mansilla.CLASSIFIER_FROZEN,), metric="accuracy"),
        Exhibit("figure 16", "confusion", (mansilla.CLASSIFIER_FROZEN,)),
    ),
    "manolucos": (
        Exhibit("figure 6", "curves", AUTOENCODERS),
        Exhibit("figure 7", "reconstructions", (manolucos.BASELINE, manolucos.WIDE)),
        Exhibit("table 3", "table", AUTOENCODERS),
        Exhibit("figure 8", "curves", CLASSIFIERS),
        Exhibit("figure 8", "curves", CLASSIFIERS, metric="accuracy"),
        Exhibit("table 4", "table", CLASSIFIERS, metric="accuracy"),
        Exhibit("table 5", "table", CLASSIFIERS),
        Exhibit("figure 9", "confusion", (manolucos.CLASSIFIER_FC_ADAM,)),
    ),
    "transfer": (
        Exhibit("", "two_by_two", transfer.ARMS, metric="accuracy"),
        Exhibit("", "curves", transfer.ARMS, metric="accuracy"),
        Exhibit("", "without_relu", transfer.LINEAR_ARMS, metric="accuracy"),
        Exhibit("", "dead_logits", (*transfer.ARMS, *transfer.LINEAR_ARMS), metric="accuracy"),
    ),
}
