"""What the claims say, in the reports' language, for the page."""

from experiments import manolucos_claims, mansilla_claims, transfer

# Claim and published words by the claim's id; where the latter are numbers they stay as they are.
CLAIMS = {
    "mansilla/untrained_blind": (
        "untrained no muestra diez prendas mejor que una sola imagen para todas",
        "no es capaz de reconstruir",
    ),
    "mansilla/base_rises": (
        "las dos pérdidas de base son mayores en la época 15 que en la 5, en la mayoría de las "
        "semillas",
        "las dos disminuyen; desde la época 5, leve aumento y leve oscilación",
    ),
    "mansilla/base_reconstructs": (
        "base muestra diez prendas mejor que una sola imagen para todas",
        "reconstruye, con una calidad no muy buena",
    ),
    "mansilla/dropout_01_steadier": (
        "desde la época 5 la pérdida de validación de dropout_01 oscila menos que la de base "
        "(desvío estándar de los pasos)",
        "oscilación no tan pronunciada",
    ),
    "mansilla/dropout_01_alike": (
        "la pérdida de validación de dropout_01 está a menos del 10% de la de base",
        "no afecta significativamente",
    ),
    "mansilla/latent_256_better": (
        "las pérdidas de validación de base y dropout_01 son al menos el doble de la de latent_256",
        "valores mucho mejores",
    ),
    "mansilla/latent_256_detail": (
        "de lo que distingue a diez prendas, latent_256 muestra más que dropout_01",
        "captura más detalles",
    ),
    "mansilla/dropout_01_reconstructs": (
        "dropout_01 muestra diez prendas mejor que una sola imagen para todas",
        "capta los patrones generales, pierde los detalles más finos",
    ),
    "mansilla/latent_256_falls": (
        "las dos pérdidas de latent_256 bajan sin un salto visible hacia arriba, en la mayoría de "
        "las semillas",
        "las dos disminuyen constantemente",
    ),
    "mansilla/latent_256_gap": (
        "entre dropout_01 y latent_256 la separación (pérdida de validación menos la de "
        "entrenamiento) cambia menos del 5% de la pérdida",
        "curvas casi tan próximas como antes",
    ),
    "mansilla/sgd_falls": (
        "las dos pérdidas de sgd bajan sin un salto visible hacia arriba, en la mayoría de las "
        "semillas",
        "las dos disminuyen durante todas las épocas",
    ),
    "mansilla/sgd_worse": (
        "la pérdida de validación de sgd es al menos el doble de cada una de las anteriores",
        "mucho mayor que antes",
    ),
    "mansilla/sgd_blind": (
        "sgd no muestra diez prendas mejor que una sola imagen para todas",
        "no es capaz de reconstruir",
    ),
    "mansilla/full_falls": (
        "las dos pérdidas de classifier_full son menores en cada tercio de las épocas que en el "
        "anterior, en la mayoría de las semillas",
        "las dos disminuyen a medida que avanzan las épocas",
    ),
    "mansilla/full_rises": (
        "las dos exactitudes de classifier_full suben sin un salto visible hacia abajo, en la "
        "mayoría de las semillas",
        "las dos aumentan constantemente",
    ),
    "mansilla/full_best_classes": (
        "classifier_full acierta más en estas cinco clases, en la mayoría de las semillas",
        "trouser, sandal, sneaker, bag, ankle boot",
    ),
    "mansilla/full_shirts": (
        "camisas verdaderas: cada cuenta dentro del margen binomial de la impresa (1 000 imágenes)",
        "713 como Shirt, 142 como T-shirt/top, 60 como Pullover",
    ),
    "mansilla/full_hard_classes": (
        "classifier_full acierta menos en shirt y coat, en la mayoría de las semillas, y más de la "
        "mitad de sus errores son otras prendas superiores",
        "shirt y coat, similares a otras prendas superiores",
    ),
    "mansilla/frozen_loss": (
        "las dos pérdidas de classifier_frozen bajan de tercio en tercio, en la mayoría de las "
        "semillas, y su pérdida de validación es al menos el doble de la de classifier_full",
        "bajan igual, con un error mucho mayor",
    ),
    "mansilla/frozen_flattens": (
        "las dos exactitudes de classifier_frozen suben y después bajan de vez en cuando y ganan "
        "menos de lo que varían, en la mayoría de las semillas",
        "las dos aumentan, se estabilizan y oscilan",
    ),
    "mansilla/frozen_diagonal": (
        "classifier_frozen acierta menos que classifier_full en las diez clases, en la mayoría de "
        "las semillas",
        "menores en todas las categorías",
    ),
    "mansilla/complex_better": (
        "con más neuronas la pérdida de validación es menor, y con más capas entrenadas la "
        "exactitud de validación es mayor",
        "los resultados mejoran con la complejidad",
    ),
    "mansilla/gap_grows": (
        "la separación entre las pérdidas de validación y de entrenamiento es mayor con más "
        "neuronas, y con más capas entrenadas",
        "las curvas se separan con la complejidad",
    ),
    **{
        f"manolucos/{name}_row": (
            f"{name}: pérdidas de entrenamiento y de validación a menos del 10% de las impresas",
            "",
        )
        for name in ("baseline", "no_dropout", "batchnorm", "avg_pooling", "wide")
    },
    "manolucos/order": ("cada cambio del autoencoder baja su pérdida de validación", ""),
    "manolucos/baseline_below_10": (
        "las dos pérdidas de baseline están por debajo del 10 %",
        "menor al 10 %: 8.58%, 7.26%",
    ),
    "manolucos/wide_slower": (
        "wide lleva más tiempo de procesador que avg_pooling",
        "más kernels, a costa de tiempos de entrenamiento más largos",
    ),
    "manolucos/no_dropout_halves": (
        "la pérdida de validación de baseline es al menos el doble de la de no_dropout",
        "mejora significativa: 7.26%, 3.12%",
    ),
    "manolucos/dropout_ratio": (
        "la pérdida de entrenamiento de baseline en curso, con dropout, supera a la de validación "
        "tanto como en lo impreso, a menos del 10%",
        "",
    ),
    "manolucos/wide_detail": (
        "de lo que distingue a diez prendas, wide muestra más que baseline",
        "baseline omite detalles, wide captura la mayoría",
    ),
    **{
        f"manolucos/{name}_row": (
            f"{name}: exactitudes de entrenamiento y de validación a menos de 1 punto, pérdidas a "
            "menos del 10% de las impresas",
            "",
        )
        for name in ("classifier_baseline", "classifier_fc_adam", "classifier_fc_sgd")
    },
    "manolucos/above_90": (
        "la exactitud de validación de cada clasificador es mayor que 90 %",
        "superior al 90 %: 91.27%, 90.83%, 91.48%",
    ),
    "manolucos/baseline_overfits": (
        "la pérdida de validación de classifier_baseline es mínima en el tercio medio de las "
        "épocas y mayor en el último, en la mayoría de las semillas",
        "sobreajusta luego de la mitad de las épocas",
    ),
    "manolucos/fc_faster": (
        "la pérdida de entrenamiento de classifier_fc_adam está debajo de la de "
        "classifier_baseline a un tercio de las épocas y al final",
        "converge más rápido, a una pérdida menor: 5.31%, 5.20%",
    ),
    "manolucos/fc_more_accurate": (
        "la exactitud de validación de classifier_fc_adam está encima de la de classifier_baseline",
        "mayor, aunque la tabla tiene 91.27%, 90.83%",
    ),
    "manolucos/fc_overfits": (
        "la pérdida de validación de classifier_fc_adam oscila más que la de classifier_baseline y "
        "es mayor en el último tercio que en el medio, en la mayoría de las semillas",
        "la validación sufre oscilaciones y sobreajuste",
    ),
    "manolucos/fc_adam_keeps": (
        "la pérdida de validación de classifier_fc_adam no es mayor en el último tercio que en el "
        "medio, en la mayoría de las semillas",
        "con Adam, sin sobreajuste",
    ),
    "manolucos/sgd_keeps": (
        "la pérdida de validación de classifier_fc_sgd no es mayor en el último tercio que en el "
        "medio, en la mayoría de las semillas",
        "sin ningún tipo de sobreajuste",
    ),
    "manolucos/sgd_rises": (
        "las dos exactitudes de classifier_fc_sgd suben sin un salto visible hacia abajo, en la "
        "mayoría de las semillas",
        "aumenta de forma progresiva",
    ),
    "manolucos/sgd_equal": (
        "las exactitudes de entrenamiento y de validación de classifier_fc_sgd están a menos de 1 "
        "punto una de otra",
        "igual, aunque la tabla tiene 94.65%, 91.48%",
    ),
    "manolucos/adam_faster": (
        "a un tercio de las épocas la exactitud de entrenamiento de classifier_fc_adam está encima "
        "de la de classifier_fc_sgd",
        "los mismos resultados en menos épocas",
    ),
    "manolucos/shirt_confused": (
        "las camisas verdaderas que no se toman por camisas se toman sobre todo por estas tres, en "
        "la mayoría de las semillas",
        "T-shirt/top, pullover, coat",
    ),
    "transfer/full_gains": (
        "con todo entrenado, la exactitud de validación es mayor desde el encoder preentrenado",
        "no se dice: pregunta nuestra",
    ),
    "transfer/head_gains": (
        "con solo la cabeza entrenada, la exactitud de validación es mayor sobre el encoder "
        "preentrenado",
        "no se dice: pregunta nuestra",
    ),
}
PLACES = {
    "sections": "secciones",
    "section": "sección",
    "figure": "figura",
    "tables": "tablas",
    "table": "tabla",
    "and": "y",
}


def _said():
    """Spanish by English for every claim that has it: what is claimed, published, and where."""
    said = {}
    for claim in (*mansilla_claims.CLAIMS, *manolucos_claims.CLAIMS, *transfer.CLAIMS):
        words, published = CLAIMS.get(claim.id, (claim.claim, claim.published))
        said[claim.claim] = words
        said[claim.published] = published or claim.published
        said[claim.where] = " ".join(PLACES.get(word, word) for word in claim.where.split(" "))
    return said


SPANISH = _said()
