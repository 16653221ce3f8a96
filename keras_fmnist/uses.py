"""What the commands do with the weights that a run has left: predict, export, latent."""

import os
from collections.abc import Sequence
from pathlib import Path

from keras_fmnist import checks, results
from keras_fmnist.settings import SpecError, shown
from keras_fmnist.specs import TEST_IMAGES, AutoencoderSpec, ClassifierSpec

MOST_PICTURES = 20  # in one figure
PICTURE = "prediction.png"
EXPORTED = ("keras", "onnx", "safetensors")


def predict(
    specs: Sequence[AutoencoderSpec | ClassifierSpec],
    usual: ClassifierSpec,
    images: Sequence[str | int] = (),
    experiment: str | None = None,
    seed: int = 0,
    out: str = results.STUDY,
    picture: str = PICTURE,
) -> None:
    """Prints what a classifier makes of pictures and draws them beside what is near them.

    It is `usual` where no experiment is named.

    Raises:
        SpecError: an argument is wrong, or a picture cannot be read; nothing was written.
        WeightsError: the weights are damaged.
    """
    spec = usual if experiment is None else checks.experiment(specs, experiment)
    if not isinstance(spec, ClassifierSpec):
        raise SpecError(f"{spec.id} is an autoencoder: name a classifier, such as {usual.id}")
    checks.whole("seed", seed, 0, 2**31 - 1)
    checks.records(out)
    checks.target("picture", picture, ".png")
    if not 1 <= len(images) <= MOST_PICTURES:
        raise SpecError(
            f"name 1 to {MOST_PICTURES} pictures, each a file such as photo.jpg "
            "or the index of a test image such as 17"
        )
    from keras_fmnist import photos

    read = [_index(word) if isinstance(word, int) else photos.read(_file(word)) for word in images]
    if os.path.exists(picture) and any(
        isinstance(word, str) and os.path.samefile(word, picture) for word in images
    ):
        raise SpecError(f"picture {picture} would replace a picture that is to be read")
    checks.device("cpu")
    from keras_fmnist import data, figures, prediction, trained

    record, encoder = (trained.find(out, s.id, seed) for s in (spec, spec.autoencoder))
    classifier = trained.load(out, record, spec)
    autoencoder = trained.load(out, encoder, spec.autoencoder)
    dataset = data.load()
    read = [prediction.from_test_set(p, dataset) if isinstance(p, int) else p for p in read]
    folder = data.cache_file().parent
    predictions = prediction.predict(classifier, autoencoder, read, dataset, folder)
    for one in predictions:
        print(*one.lines(), sep="\n")
    figures.draw_predictions(picture, predictions)
    print(f"{picture}: classes by {spec.id}, the rest by {spec.autoencoder.id}")


def _index(word):
    if isinstance(word, bool) or not 0 <= word < TEST_IMAGES:
        raise SpecError(
            f"{word} is no test image: they go from 0 to {TEST_IMAGES - 1}; a file of that name "
            f"is written ./{word}"
        )
    return word


def _file(word):
    if not isinstance(word, str) or not word.strip():
        raise SpecError(
            f"{shown(word)} is no picture: a file of that name is written with ./ before it"
        )
    return word


def export(
    specs: Sequence[AutoencoderSpec | ClassifierSpec],
    experiment: str,
    format: str | None = None,
    target: str | None = None,
    seed: int = 0,
    out: str = results.STUDY,
) -> None:
    """Writes the net of a run, or its weights, in a format that others read.

    Args:
        specs: those of all experiments.
        experiment: the id of one of them.
        format: keras, onnx or safetensors; the target's ending where it is not given.
        target: the file; `<experiment>.<format>` in the working folder where it is not given.
        seed: of the run.
        out: the folder of the records.

    Raises:
        SpecError: an argument is wrong; nothing was written.
        WeightsError: the weights are damaged.
        RuntimeError: the ONNX file does not compute what Keras does.
    """
    spec = checks.experiment(specs, experiment)
    checks.whole("seed", seed, 0, 2**31 - 1)
    checks.records(out)
    target = _target(spec, format, target)
    checks.device("cpu")
    from keras_fmnist import formats, trained

    if target.endswith(".onnx"):
        formats.check_onnx()
    net = trained.load(out, trained.find(out, spec.id, seed), spec)
    words = formats.write(target, net.model, net.spec.darkest)
    print(
        f"{target}: {words} of {spec.id}, seed {seed}; "
        f"images are (n, 28, 28, 1) float32 from {net.spec.darkest:g} to 1"
    )


def _target(spec, format, target):
    """The file to write, which its format and its ending agree on."""
    if format is not None and format not in EXPORTED:
        raise SpecError(f"format must be {' or '.join(EXPORTED)}, not {shown(format)}")
    if target is None:
        if format is None:
            raise SpecError(
                f"say --format {' or '.join(EXPORTED)}, or --target and a file that ends so"
            )
        target = f"{spec.name}.{format}"
    checks.target("target", target, *(f".{ending}" for ending in EXPORTED))
    if format is not None and Path(target).suffix != f".{format}":
        raise SpecError(f"target must end in .{format}, as the format says, not {shown(target)}")
    return target


def latent(
    specs: Sequence[AutoencoderSpec | ClassifierSpec],
    experiments: Sequence[str] = (),
    seed: int = 0,
    out: str = results.STUDY,
) -> None:
    """Maps the latent spaces of autoencoders and draws them beside their records.

    Raises:
        SpecError: an argument is wrong; nothing was written.
        WeightsError: the weights are damaged.
    """
    chosen = [checks.experiment(specs, name) for name in experiments]
    for spec in chosen:
        if isinstance(spec, ClassifierSpec):
            encoder = spec.autoencoder.id
            raise SpecError(f"{spec.id} is a classifier: name its autoencoder, {encoder}")
    checks.whole("seed", seed, 0, 2**31 - 1)
    checks.records(out)
    checks.device("cpu")
    from keras_fmnist import data, figures, trained
    from keras_fmnist import latent as latent_spaces

    if not chosen:
        there = trained.with_weights(out, seed)
        chosen = [s for s in specs if s.id in there and not isinstance(s, ClassifierSpec)]
    if not chosen:
        raise SpecError(f"{out} holds no weights of an autoencoder, seed {seed}")
    records = [trained.find(out, spec.id, seed) for spec in chosen]
    dataset = data.load()
    for spec, record in zip(chosen, records, strict=True):
        net = trained.load(out, record, spec)
        path = results.latent_path(out, spec.id)
        results.write(path, latent_spaces.measure(net, dataset))
        drawn = [p for p in figures.draw(out, spec.id) if p.stem.endswith(("_latent", "_line"))]
        if not drawn:
            raise RuntimeError(f"{path}: seed {seed} is none of the runs that figures are drawn of")
        print(path, *drawn, sep="\n", flush=True)
