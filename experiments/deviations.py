"""What the reports leave open, or get wrong: numbered from 1, as the comments in the code cite it.

README.md and the page show this list and no other.
"""

from keras_fmnist.claims.catalogue import Text

DEVIATIONS = (
    Text(
        "**mansilla's last layer.** Kernel 4, stride 2, output padding 1 turn 13×13 into 29×29. "
        "Ours is kernel 3 with output padding 1; `--deconv2 k4s2` is the other reading. Output "
        "padding has a price that every picture shows: the positions it adds hold the bias alone, "
        "hence the grey band at the right and lower edge.",
        "**La última capa de mansilla.** Kernel 4, stride 2 y output padding 1 llevan de 13×13 a "
        "29×29. La nuestra tiene kernel 3 con output padding 1; `--deconv2 k4s2` es la otra "
        "lectura. El output padding tiene un precio que se ve en cada imagen: las posiciones que "
        "agrega contienen solo el sesgo, y de ahí la franja gris en los bordes derecho e inferior.",
    ),
    Text(
        "**manolucos's fifth layer.** Kernel 5, stride 2, padding 2 turn 5×5 into 9×9; 13×13 needs "
        "dilation 2 (120 of the 169 positions then hold the bias alone) or padding 0. Dilation is "
        "the default; `baseline_repaired` and `wide_repaired` have padding 0. His formula "
        "(section 2.2) has dilation · kernel where it must be dilation · (kernel − 1), and gives "
        "10.",
        "**La quinta capa de manolucos.** Kernel 5, stride 2 y padding 2 llevan de 5×5 a 9×9; para "
        "llegar a 13×13 hace falta dilatación 2 (120 de las 169 posiciones contienen entonces solo "
        "el sesgo) o padding 0. Por defecto hay dilatación; `baseline_repaired` y `wide_repaired` "
        "tienen padding 0. Su fórmula (sección 2.2) tiene dilatación · kernel donde debe decir "
        "dilatación · (kernel − 1), y da 10.",
    ),
    Text(
        "**manolucos's losses** are too large for pixels in [0, 1]. Ours are in [−1, 1] with a "
        "tanh (`--pixels signed`); no linear layer stands between encoder and decoder "
        "(`--latent 0`), though figure 1 speaks of one; and the dropout of `baseline` stands "
        "before and after each pooling (`--dropout_at both`), chosen by the search (below). "
        "Settled without a search: dropout after the first transposed convolution, batch norm "
        "between convolution and ReLU. Whether his training losses are those of the running epoch, "
        "dropout on, is not said; the tables hold them to ours in evaluation mode, the search to "
        "both.",
        "**Las pérdidas de manolucos** son demasiado grandes para píxeles en [0, 1]. Los nuestros "
        "están en [−1, 1] con una tanh (`--pixels signed`); no hay capa lineal entre encoder y "
        "decoder (`--latent 0`), aunque la figura 1 habla de una; y el dropout de `baseline` está "
        "antes y después de cada pooling (`--dropout_at both`), elegido por la búsqueda "
        "(más abajo). Sin búsqueda: dropout tras la primera convolución transpuesta, "
        "normalización por lotes entre la convolución y la ReLU. No se dice si sus pérdidas de "
        "entrenamiento son las de la época en curso, con dropout; las tablas las comparan con las "
        "nuestras en modo de evaluación, la búsqueda con ambas.",
    ),
    Text(
        "**manolucos's classifiers.** Width, and SGD's rate and momentum, are not given: 128 "
        "neurons (`--hidden`), and a rate of 0.01 without momentum (`--learning_rate`, "
        "`--momentum`), chosen by us after a search (below). Nor is it said whether the encoder is "
        "trained with them, and of the selective retraining that the abstract announces nothing is "
        "reported: ours train everything.",
        "**Los clasificadores de manolucos.** No se dan el ancho ni la tasa y el momento de SGD: "
        "128 neuronas (`--hidden`) y una tasa de 0.01 sin momento (`--learning_rate`, "
        "`--momentum`), elegidas por nosotros tras una búsqueda (más abajo). Tampoco se dice si el "
        "encoder se entrena con ellos, y del re-entrenamiento selectivo que anuncia el resumen no "
        "se informa nada: los nuestros entrenan todo.",
    ),
    Text(
        '**mansilla\'s sgd.** "Finally" SGD: read as added to dropout 0.1 and n = 256; rate 1e-3, '
        "no momentum.",
        "**El sgd de mansilla.** «Finalmente» SGD: se lee como sumado a dropout 0.1 y n = 256; "
        "tasa 1e-3, sin momento.",
    ),
    Text(
        "**mansilla's classifiers.** Epochs, batch and rate are not given: the common ones. A ReLU "
        "stands on the logits; each record counts the logits that are zero for every test image "
        "(`dead_logits`). Where all ten are zero the first class is named, T-shirt/top. "
        "`--relu_logits False` leaves the ReLU out.",
        "**Los clasificadores de mansilla.** No se dan épocas, lote ni tasa: los comunes. Hay una "
        "ReLU sobre los logits; cada registro cuenta los logits que son cero para toda imagen de "
        "prueba (`dead_logits`). Donde los diez son cero se nombra la primera clase, T-shirt/top. "
        "`--relu_logits False` quita la ReLU.",
    ),
    Text(
        "**A frozen encoder's dropout.** `requires_grad=False` and `trainable=False` leave dropout "
        "on, and so do we; `--encoder_dropout False` switches it off.",
        "**El dropout de un encoder congelado.** `requires_grad=False` y `trainable=False` lo "
        "dejan activo, y nosotros también; `--encoder_dropout False` lo apaga.",
    ),
    Text(
        "**Validation is the test set.** Kept; the last epoch counts, and no epoch, seed or weight "
        "is selected on it. But what manolucos leaves open was settled by nearness to printed "
        "rows, validation losses among them (3 and 4): that `no_dropout` comes near is weaker "
        "evidence, and the rows after it inherit the choice.",
        "**La validación es el conjunto de prueba.** Se mantiene; cuenta la última época, y "
        "ninguna época, semilla ni peso se elige con él. Pero lo que manolucos deja abierto se "
        "decidió por cercanía a filas impresas, con pérdidas de validación entre ellas (3 y 4): "
        "que `no_dropout` se acerque prueba menos, y las filas siguientes heredan la elección.",
    ),
    Text(
        "**Initialisation and Adam** are PyTorch's: weights and biases uniform in ±1/√fan_in, "
        "ε = 1e-8 where PyTorch adds it. Keras adds ε before the bias correction, where it acts 32 "
        "times as strongly at the first step (`optimizers.py`).",
        "**La inicialización y Adam** son los de PyTorch: pesos y sesgos uniformes en ±1/√fan_in, "
        "ε = 1e-8 donde PyTorch lo suma. Keras suma ε antes de corregir el sesgo, donde pesa 32 "
        "veces más en el primer paso (`optimizers.py`).",
    ),
    Text(
        "**manolucos's discussion** (sections 4.2 and 5) says that the loss function is changed; "
        "it is the optimiser. Section 4.2 cites table 5 for an accuracy that is in table 4.",
        "**La discusión de manolucos** (secciones 4.2 y 5) dice que se cambia la función de "
        "pérdida; es el optimizador. La sección 4.2 cita la tabla 5 por una exactitud que está en "
        "la 4.",
    ),
)
