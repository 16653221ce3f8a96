"""assumptions: every reading of what manolucos leaves open, trained for a few epochs and scored.

Open question 3: pixel range × dilation × a hidden linear layer × dropout, against the rows
`baseline` and `no_dropout`. Open question 4: the width of the classifier's layer against the row
`classifier_fc_adam`, the rate and momentum of SGD against `classifier_fc_sgd`.
A loss only falls with more epochs: a reading of question 3 that undercuts a printed loss this early
cannot end at it. Those that had not are trained to the end.
Cost: one minute a reading of question 3, eleven to the end, three of question 4, on one CPU core.

    keras-fmnist study 'assumptions/*' --seeds 1
    keras-fmnist assumptions
"""

import sys
from dataclasses import replace
from itertools import chain, product

from experiments import manolucos
from keras_fmnist import cli, menu

DILATIONS = {"dilated": "k5s2p2d2", "undilated": "k5s2"}
LINEAR = {"map": 0, "linear": 128}
DROPOUTS = {
    "before": {"dropout_at": "before_pooling"},
    "after": {"dropout_at": "after_pooling"},
    "both": {"dropout_at": "both"},
    "channel": {"dropout_at": "before_pooling", "dropout_kind": "channel"},
}
SHORT = 3  # epochs


def _autoencoders(row, dropouts):
    for pixels, dilation, linear, dropout in product(
        ("unit", "signed"), DILATIONS, LINEAR, dropouts
    ):
        words = [row.name, pixels, dilation, linear, dropout]
        yield replace(
            row,
            report="assumptions",
            name="_".join(word for word in words if word),
            summary=", ".join(word for word in words[1:] if word),
            epochs=SHORT,
            pixels=pixels,
            deconv1=DILATIONS[dilation],
            latent=LINEAR[linear],
            **dropouts[dropout],
        )


SHORT_READINGS = {
    manolucos.NO_DROPOUT: tuple(_autoencoders(manolucos.NO_DROPOUT, {"": {}})),
    manolucos.BASELINE: tuple(_autoencoders(manolucos.BASELINE, DROPOUTS)),
}
# What had undercut nothing; `no_dropout` as dilated map is the experiment itself.
STANDING = {
    manolucos.NO_DROPOUT: (
        "signed, dilated, linear",
        "signed, undilated, linear",
        "signed, undilated, map",
    ),
    manolucos.BASELINE: (
        "signed, dilated, linear, both",
        "signed, dilated, linear, before",
        "signed, dilated, linear, after",
        "signed, undilated, linear, both",
        "signed, undilated, linear, before",
    ),
}


def _to_the_end(row):
    for reading in SHORT_READINGS[row]:
        if reading.summary in STANDING[row]:
            yield replace(reading, name=f"{reading.name}_{row.epochs}", epochs=row.epochs)


# The encoder that the classifiers start from, trained a tenth of its epochs.
ENCODER = replace(
    manolucos.WIDE,
    report="assumptions",
    name="wide_short",
    summary="wide, for the classifiers to start from",
    epochs=SHORT,
    published={},
)
WIDTHS = tuple(
    replace(
        manolucos.CLASSIFIER_FC_ADAM,
        report="assumptions",
        name=f"classifier_fc_adam_{width}",
        summary=f"a layer of {width}",
        autoencoder=ENCODER,
        epochs=SHORT,
        hidden=width,
    )
    for width in (32, 128, 512)
)
RATES = tuple(
    replace(
        manolucos.CLASSIFIER_FC_SGD,
        report="assumptions",
        name=f"classifier_fc_sgd_{rate:g}_{momentum:g}".replace(".", ""),
        summary=f"rate {rate:g}, momentum {momentum:g}",
        autoencoder=ENCODER,
        epochs=SHORT,
        learning_rate=rate,
        momentum=momentum,
    )
    for rate, momentum in ((1e-3, 0.0), (1e-3, 0.9), (1e-2, 0.0), (1e-2, 0.9), (1e-1, 0.0))
)

# What is printed, and its readings.
QUESTIONS = {
    **{row: (*short, *_to_the_end(row)) for row, short in SHORT_READINGS.items()},
    manolucos.CLASSIFIER_FC_SGD: RATES,
    manolucos.CLASSIFIER_FC_ADAM: WIDTHS,
}
SPECS = (ENCODER, *chain.from_iterable(QUESTIONS.values()))

if __name__ == "__main__":
    sys.exit(cli.main(menu.experiments(SPECS), "assumptions"))
