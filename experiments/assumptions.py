"""assumptions: readings of the gaps in manolucos's report, trained for a few epochs and ranked.

Open question 3: pixel range × dilation × a hidden linear layer × dropout, against the rows
`baseline` and `no_dropout`. Open question 4: the width of the classifier's layer against the row
`classifier_fc_adam`, the rate and momentum of SGD against `classifier_fc_sgd`.
The losses of an autoencoder, and the training loss of a classifier, keep falling with more epochs.
So a reading of question 3 that is below a printed loss this early cannot end at it. Readings that
are not below are also declared with all epochs.

No reading explained both `baseline` and `no_dropout`, so question 3 has a second search: output
activation of the decoder × a pair of linear layers × what is between the transposed convolutions.
Two public works of the same course have the layers of manolucos's table 2, dilation 2, pixels in
[-1, 1], no output activation, a pair of linear layers of 28·28 numbers and dropout before each
pooling; one has ReLU and dropout between the transposed convolutions, the other nothing. A trial of
the first in native PyTorch (seed 0, not among the records) came within 6 % of both numbers printed
for `baseline`. These rules for the second search were written before it ran:

- In every row the printed training loss is compared with the running loss, measured with dropout
  on. In all earlier readings with pixels in [-1, 1] the training loss in evaluation mode is 0.94
  to 1.00 of the validation loss. For `baseline` the report prints a ratio of 1.18, possible only
  with dropout on. The table shows both losses.
- A reading explains a row if, after the 30 epochs of the report, the running loss and the
  validation loss are both within 10 % of the printed ones, the tolerance of the claims.
- The two published forms are trained to the end for `baseline` and `no_dropout`, the closer one
  for `wide` too. The others are screened for 3 epochs on `baseline`, where screening tells most.
  Those that are below neither number, and closer than both forms were after 3 epochs, are trained
  to the end as well.
- A reading that explains more of `baseline`, `no_dropout` and `wide` than the default, which the
  first search chose and which explains only `no_dropout`, becomes the default. If there is none,
  the default stays, and the findings say which reading explains which row.
- All runs have seed 0. A new default is run over more seeds before anything is claimed of it.

The search chose a linear output, a pair of 784 and ReLU between. It is the default of `manolucos`
now. All ten experiments had been run with what the first search chose. Those runs are readings now.

Cost on one CPU core: one or two minutes for a reading of question 3, some twelve to train it to the
end, fifty for `wide`; three to six minutes for a reading of question 4.

    keras-fmnist study 'assumptions/*' --seeds 1
    keras-fmnist assumptions
"""

import sys
from dataclasses import replace
from itertools import chain, product

from experiments import decoders, manolucos
from experiments.words import WORDS
from keras_fmnist.cli import app
from keras_fmnist.cli.commands.train import build_experiment_commands

DILATIONS = {"dilated": "k5s2p2d2", "undilated": "k5s2"}
LINEAR = {"map": 0, "linear": 128}
DROPOUTS = {
    "": {},  # of a row without dropout
    "before": {"dropout_at": "before_pooling"},
    "after": {"dropout_at": "after_pooling"},
    "both": {"dropout_at": "both"},
    "channel": {"dropout_at": "before_pooling", "dropout_kind": "channel"},
}
SHORT = 3  # epochs


def _autoencoder(row, pixels, dilation, linear, dropout=""):
    """One reading of the first search, for a few epochs."""
    words = [pixels, dilation, linear, *([dropout] if dropout else [])]
    return replace(
        row,
        report="assumptions",
        name="_".join([row.name, *words]),
        summary=", ".join(words),
        epochs=SHORT,
        pixels=pixels,
        deconv1=DILATIONS[dilation],
        latent=LINEAR[linear],
        output="auto",  # what fits the pixels; the rows have no activation now
        **DROPOUTS[dropout],
    )


def _autoencoders(row, dropouts):
    grid = product(("unit", "signed"), DILATIONS, LINEAR, dropouts)
    return tuple(_autoencoder(row, *reading) for reading in grid)


SHORT_READINGS = {
    manolucos.NO_DROPOUT: _autoencoders(manolucos.NO_DROPOUT, ("",)),
    manolucos.BASELINE: _autoencoders(manolucos.BASELINE, ("before", "after", "both", "channel")),
}
# Readings below no printed loss.
STANDING = {
    manolucos.NO_DROPOUT: (
        "signed, dilated, map",
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

# Withdrawn before they ran. Table 2 does not print padding 0, and after 3 of 30 epochs their
# running losses were 0.2 % and 4 % above the printed one. With dilation 2, the same readings fell
# by another 17 % from there.
WITHDRAWN = {
    manolucos.NO_DROPOUT: (),
    manolucos.BASELINE: (
        "signed, undilated, linear, both",
        "signed, undilated, linear, before",
    ),
}


def _train_to_the_end(row, reading):
    return replace(reading, name=f"{reading.name}_{row.epochs}", epochs=row.epochs)


def _train_standing(row):
    for reading in SHORT_READINGS[row]:
        if reading.summary in STANDING[row] and reading.summary not in WITHDRAWN[row]:
            yield _train_to_the_end(row, reading)


def _choose_first(row, dilation):
    """A row with what the first search chose, to the end."""
    dropout = "both" if row.dropout else ""
    return _train_to_the_end(row, _autoencoder(row, "signed", dilation, "map", dropout))


# What the first search chose, for the whole report; `no_dropout` with it is among the standing.
# `baseline` had undercut its row, but it was the experiment.
FIRST_DEFAULT = {
    row: _choose_first(row, "dilated")
    for row in (
        *(manolucos.BASELINE, manolucos.BATCHNORM),
        *(manolucos.AVG_POOLING, manolucos.WIDE),
    )
}
# The same of `baseline_repaired` and `wide_repaired`.
FIRST_REPAIRED = {
    row: _choose_first(row, "undilated") for row in (manolucos.BASELINE, manolucos.WIDE)
}
FIRST_CLASSIFIERS = {
    row: replace(
        row,
        report="assumptions",
        name=f"{row.name}_map",
        summary=WORDS("on map").english,
        autoencoder=FIRST_DEFAULT[manolucos.WIDE],
    )
    for row in (
        manolucos.CLASSIFIER_BASELINE,
        manolucos.CLASSIFIER_FC_ADAM,
        manolucos.CLASSIFIER_FC_SGD,
    )
}


# The second search.
BETWEEN = {"ReLU between": "relu_dropout", "nothing between": "nothing"}
SCREENED_FORMS = (
    *product(("tanh",), (784,), BETWEEN),
    *product(("linear",), (0, 128, 256), BETWEEN),
)


def _decoders(row, forms, epochs):
    """Yields a row with other decoders; `forms` are `(output, width of linear pair, between)`."""
    for output, latent, between in forms:
        pair = f"pair of {latent}" if latent else "no pair"
        words = [f"{output} output", pair, between]
        name = "_".join([row.name, *words, *([] if epochs < row.epochs else [str(epochs)])])
        yield replace(
            row,
            report="assumptions",
            name=name.replace(" ", "_").lower(),
            summary=", ".join(words),
            epochs=epochs,
            latent=latent,
            dropout_at="before_pooling",
            output=output,
            between=BETWEEN[between],
        )


DECODER_SCREENS = tuple(_decoders(manolucos.BASELINE, SCREENED_FORMS, SHORT))
# The published form that was not chosen.
OTHER_FORM = ("linear", 784, "nothing between")
# What the screens left: below neither printed number, and closer than both published forms were
# after 3 epochs.
STANDING_FORMS = (("linear", 256, "nothing between"),)
LONG_DECODERS = {
    row: tuple(_decoders(row, forms, row.epochs))
    for row, forms in (
        (manolucos.NO_DROPOUT, (OTHER_FORM,)),
        (manolucos.BASELINE, (OTHER_FORM, *STANDING_FORMS)),
    )
}

# The encoder that the classifiers start from, trained for a tenth of its epochs.
ENCODER = replace(
    _autoencoder(manolucos.WIDE, "signed", "dilated", "map"),
    name="wide_short",
    summary="wide, for the classifiers to start from",
    published={},
)
WIDTHS = tuple(
    replace(
        manolucos.CLASSIFIER_FC_ADAM,
        report="assumptions",
        name=f"classifier_fc_adam_{width}",
        summary=WORDS("width", width=width).english,
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
        summary=WORDS("rate", rate=f"{rate:g}", momentum=f"{momentum:g}").english,
        autoencoder=ENCODER,
        epochs=SHORT,
        learning_rate=rate,
        momentum=momentum,
    )
    for rate, momentum in ((1e-3, 0.0), (1e-3, 0.9), (1e-2, 0.0), (1e-2, 0.9), (1e-1, 0.0))
)

# Each printed row and its readings.
QUESTIONS = {
    manolucos.NO_DROPOUT: (
        *SHORT_READINGS[manolucos.NO_DROPOUT],
        *_train_standing(manolucos.NO_DROPOUT),
        *LONG_DECODERS[manolucos.NO_DROPOUT],
    ),
    manolucos.BASELINE: (
        *SHORT_READINGS[manolucos.BASELINE],
        *_train_standing(manolucos.BASELINE),
        FIRST_DEFAULT[manolucos.BASELINE],
        FIRST_REPAIRED[manolucos.BASELINE],
        *DECODER_SCREENS,
        *LONG_DECODERS[manolucos.BASELINE],
    ),
    manolucos.BATCHNORM: (FIRST_DEFAULT[manolucos.BATCHNORM],),
    manolucos.AVG_POOLING: (FIRST_DEFAULT[manolucos.AVG_POOLING],),
    manolucos.WIDE: (FIRST_DEFAULT[manolucos.WIDE], FIRST_REPAIRED[manolucos.WIDE]),
    manolucos.CLASSIFIER_BASELINE: (FIRST_CLASSIFIERS[manolucos.CLASSIFIER_BASELINE],),
    manolucos.CLASSIFIER_FC_ADAM: (*WIDTHS, FIRST_CLASSIFIERS[manolucos.CLASSIFIER_FC_ADAM]),
    manolucos.CLASSIFIER_FC_SGD: (*RATES, FIRST_CLASSIFIERS[manolucos.CLASSIFIER_FC_SGD]),
}
# What the ranks say. docs/open_questions.md and the page show this list.
FINDINGS = tuple(WORDS(f"finding {number}") for number in range(1, 6))
SPECS = (
    ENCODER,
    *chain.from_iterable(QUESTIONS.values()),
    *chain.from_iterable(decoders.READINGS),
)

if __name__ == "__main__":
    sys.exit(app.main(build_experiment_commands(SPECS), "assumptions"))
