"""What each experiment and reading says of itself, in both languages; the English is its spec's.

An experiment of one's own is shown in English until `texts.toml` has its Spanish.
"""

from experiments import assumptions, decoders, manolucos, mansilla, transfer
from experiments.words import WORDS
from keras_fmnist.claims.texts import Text


def _by_name(specs):
    translated = {spec: WORDS.templates.get(f"{spec.id} summary") for spec in specs}
    return {spec.id: Text(spec.summary, words["es"]) for spec, words in translated.items() if words}


def _word_by_word(spec):
    words = (WORDS.templates[f"reading {word}"]["es"] for word in spec.summary.split(", "))
    return Text(spec.summary, ", ".join(words))


SUMMARIES = {
    **_by_name((*mansilla.SPECS, *manolucos.SPECS, *transfer.SPECS)),
    **{
        spec.id: _word_by_word(spec)
        for row, readings in assumptions.QUESTIONS.items()
        if not row.is_classifier
        for spec in readings
    },
    **{spec.id: WORDS("on map") for spec in assumptions.FIRST_CLASSIFIERS.values()},
    **{spec.id: WORDS("width", width=spec.hidden) for spec in assumptions.WIDTHS},
    **{
        spec.id: WORDS("rate", rate=f"{spec.learning_rate:g}", momentum=f"{spec.momentum:g}")
        for spec in assumptions.RATES
    },
    **{
        spec.id: decoders.describe_decoder(ours.name, layers.values())
        for layers, specs in zip(decoders.OTHERS.values(), decoders.READINGS, strict=True)
        for ours, spec in zip(decoders.FIGURES, specs, strict=True)
    },
}
