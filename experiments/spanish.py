"""What the experiments say, in the reports' language, for the page.

What the reports print and claim must be here, a test says so; an experiment of one's own is shown
in English until it is.
"""

from experiments import assumptions, spanish_claims

WORDS = {
    "unit": "píxeles en [0, 1]",
    "signed": "píxeles en [−1, 1]",
    "dilated": "con dilatación",
    "undilated": "sin dilatación",
    "map": "sin capa lineal",
    "linear": "con capa lineal",
    "before": "dropout antes del pooling",
    "after": "dropout después del pooling",
    "both": "dropout antes y después",
    "channel": "dropout por canal",
    "linear output": "salida lineal",
    "tanh output": "salida tanh",
    "no pair": "sin par de capas lineales",
    **{f"pair of {n}": f"par de capas lineales de {n}" for n in (128, 256, 784)},
    "ReLU between": "ReLU y dropout entre las convoluciones transpuestas",
    "nothing between": "nada entre ellas",
}


def _word_by_word(summary):
    return ", ".join(WORDS[word] for word in summary.split(", "))


SPANISH = {
    "n = 64, dropout 0.2, Adam": "n = 64, dropout 0.2, Adam",
    "base, never trained": "base, sin entrenar",
    "base with dropout 0.1": "base con dropout 0.1",
    "dropout_01 with n = 256": "dropout_01 con n = 256",
    "latent_256 with SGD": "latent_256 con SGD",
    "encoder of base, everything trained": "encoder de base, todo entrenado",
    "encoder of base frozen, only the head trained": "encoder de base congelado, solo se entrena "
    "la cabeza",
    "16 and 32 kernels, dropout 0.2": "16 y 32 kernels, dropout 0.2",
    "baseline without dropout": "baseline sin dropout",
    "no_dropout with batch norm before each pooling": "no_dropout con normalización por lotes "
    "antes de cada pooling",
    "batchnorm with average pooling in second place": "batchnorm con average pooling en segundo "
    "lugar",
    "avg_pooling with 64 and 96 kernels": "avg_pooling con 64 y 96 kernels",
    "baseline with padding 0 instead of dilation 2": "baseline con padding 0 en vez de dilatación "
    "2",
    "wide with padding 0 instead of dilation 2": "wide con padding 0 en vez de dilatación 2",
    "encoder of wide and one layer of 10": "encoder de wide y una capa de 10",
    "classifier_baseline with a layer of 128 before the logits": "classifier_baseline con una capa "
    "de 128 antes de los logits",
    "classifier_fc_adam with SGD": "classifier_fc_adam con SGD",
    "random encoder, everything trained": "encoder al azar, todo entrenado",
    "random encoder, only the head trained": "encoder al azar, solo se entrena la cabeza",
    **{
        spec.summary: _word_by_word(spec.summary)
        for readings in (*assumptions.SHORT_READINGS.values(), *assumptions.DECODERS.values())
        for spec in readings
    },
    **{spec.summary: _word_by_word(spec.summary) for spec in assumptions.DECODER_SCREENS},
    **{spec.summary: f"una capa de {spec.hidden}" for spec in assumptions.WIDTHS},
    **{
        spec.summary: f"tasa de aprendizaje {spec.learning_rate:g}, momento {spec.momentum:g}"
        for spec in assumptions.RATES
    },
    **spanish_claims.SPANISH,
}
