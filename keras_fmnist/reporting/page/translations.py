"""What was measured for a claim and why it was so judged, in words of the page's two languages.

`claims` and `verdicts` say it in English with the names that records have. Here each phrase of
theirs has its words, the longer ones first.
"""

import re

from keras_fmnist.claims.catalogue import Text

# What it begins as, in English, in Spanish; \1 and the like stand for what a group has found.
PHRASES = (
    # readings
    (
        r"val_loss lowest in the middle third, higher after it",
        "validation loss lowest in the middle third, higher after it",
        "pérdida de validación mínima en el tercio central, mayor después",
    ),
    (
        r"val_loss (not )?higher in the last third",
        r"validation loss \1higher in the last third",
        lambda m: f"pérdida de validación {'no ' if m[1] else ''}mayor en el último tercio",
    ),
    (
        r"both losses higher at epoch (\d+) than at (\d+)",
        None,
        r"ambas pérdidas mayores en la época \1 que en la \2",
    ),
    (
        r"explained variance of ten images",
        None,
        "varianza explicada de diez imágenes",
    ),
    (r"wobble of val_loss", "wobble of the validation loss", "oscilación de la validación"),
    (r"both accuracies flat and wobbling", None, "ambas exactitudes planas y oscilantes"),
    (r"processor seconds", None, "segundos de procesador"),
    (r"both losses lower with each third", None, "ambas pérdidas menores en cada tercio"),
    (r"both losses fall throughout", None, "ambas pérdidas bajan siempre"),
    (r"both accuracies rise throughout", None, "ambas exactitudes suben siempre"),
    (r"fewer right in all ten classes", None, "menos aciertos en las diez clases"),
    (r"errors among upper garments", None, "errores entre prendas superiores"),
    (r"commonest errors of (\S+)", None, r"errores más comunes de \1"),
    (r"best classes", None, "mejores clases"),
    (r"worst classes", None, "peores clases"),
    (r"gap in accuracy", None, "distancia entre exactitudes"),
    (r"gap change", None, "cambio de la distancia"),
    (r"\bgap\b", None, "distancia"),
    (
        r"loss over val_loss",
        "loss as it ran over validation loss",
        "pérdida durante la época sobre la de validación",
    ),
    (r"val_loss ratio", "ratio of the validation losses", "razón de pérdidas de validación"),
    (r"epoch (\d+)", None, r"época \1"),
    (r"train_eval_loss", "training loss", "pérdida de entrenamiento"),
    (r"val_loss", "validation loss", "pérdida de validación"),
    (r"train_eval_accuracy", "training accuracy", "exactitud de entrenamiento"),
    (r"val_accuracy", "validation accuracy", "exactitud de validación"),
    (r"(\S+) as (\S+)", None, r"\1 como \2"),
    # measures
    (r" \(share of seeds\)", None, " (parte de las semillas)"),
    (r"not run yet", None, "sin ejecutar todavía"),
    # reasons
    (
        r"(\S+(?: / \S+)*) has (\d+) of at least (\d+) seeds",
        r"\1: seeds \2, needed \3",
        r"\1: semillas \2, necesarias \3",
    ),
    (r"only a part of the interval of", None, "solo una parte del intervalo de"),
    (r"no part of the interval of", None, "ninguna parte del intervalo de"),
    (r"all of the interval of", None, "todo el intervalo de"),
    (r"is at most", None, "es como mucho"),
    (r"is at least", None, "es al menos"),
    (r"is from (\S+) to (\S+)", None, r"está entre \1 y \2"),
    (r": intervals overlap, no ranking", None, ": los intervalos se solapan, sin orden"),
    (r", but one more run might be", None, ", aunque una corrida más podría estarlo"),
    (r"lie apart, the other way round", None, "están separados, al revés"),
    (r"lie apart", None, "están separados"),
    (
        r"(\d+) of (\d+) seeds, too near half",
        None,
        r"\1 de \2 semillas, demasiado cerca de la mitad",
    ),
    (r"(\d+) of (\d+) seeds", None, r"\1 de \2 semillas"),
    (r"(\S+) times (\S+) and (\S+)", None, r"\1 veces \2 y \3"),
    (r"(\S+) and (\S+)(?= están|: los)", None, r"\1 y \2"),
)


# What `compare` says: kinds of comparison, and defaults in which Keras and PyTorch differ.
OF_RULERS = {
    "output": "salida",
    "loss": "pérdida",
    "gradient": "gradiente",
    "initial kernels": "kernels iniciales",
    "initial biases": "sesgos iniciales",
    "uniform ±1/√fan_in": "uniforme ±1/√fan_in",
    "fan-in of a transposed convolution": "fan-in de una convolución transpuesta",
    "inputs": "entradas",
    "outputs": "salidas",
    "Adam's ε": "ε de Adam",
    "where Adam adds ε": "dónde suma Adam ε",
    "to √v": "a √v",
    "to √v̂, bias corrected": "a √v̂, con el sesgo corregido",
    "batch norm's momentum, as the share kept": "momento de la normalización por lotes, como la "
    "parte que se conserva",
    "batch norm's ε": "ε de la normalización por lotes",
    "batch norm's running variance": "varianza acumulada de la normalización por lotes",
    "divided by n": "dividida por n",
    "divided by n - 1": "dividida por n - 1",
    "Keras's": "la de Keras",
    "image layout": "orden de una imagen",
    "rows, columns, channels": "filas, columnas, canales",
    "channels, rows, columns": "canales, filas, columnas",
    "Keras's outside": "el de Keras por fuera",
    "flatten order": "orden al aplanar",
    "row, column, channel": "fila, columna, canal",
    "channel, row, column": "canal, fila, columna",
    "PyTorch's": "el de PyTorch",
    "a frozen batch norm's statistics": "estadísticas de una normalización por lotes congelada",
    "stay": "quedan",
    "move in training mode": "se mueven en modo de entrenamiento",
    "a frozen layer's dropout": "dropout de una capa congelada",
    "drops": "actúa",
    "drops in training mode": "actúa en modo de entrenamiento",
    "drops, unless the spec says": "actúa, salvo que el experimento diga otra cosa",
}
STEPS = re.compile(r"(\d+) (sgd|adam) steps?, (float\d+)")


def of_rulers(said: str) -> Text:
    """What `compare` says in English, in both languages; numbers and names stay as they are."""
    if steps := STEPS.fullmatch(said):
        number, optimizer, kind = steps.groups()
        word = "paso" if number == "1" else "pasos"
        return Text(said, f"{number} {word} de {optimizer}, {kind}")
    return Text(said, OF_RULERS.get(said, said))


def in_both(said: str) -> Text:
    """What `claims` says in English, in words of both languages."""
    english = spanish = said
    for pattern, plain, other in PHRASES:
        if plain is not None:
            english = re.sub(pattern, plain, english)
        spanish = re.sub(pattern, other, spanish)
    return Text(english, spanish)
