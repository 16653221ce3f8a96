"""`keras-fmnist predict`: what is on a picture."""

import os
from typing import Annotated

from keras_fmnist import backends
from keras_fmnist.claims.catalogue import Catalogue
from keras_fmnist.cli.arguments import (
    RecordsFolder,
    SeedOfRun,
    check_int,
    check_target,
    find_experiment,
    find_records_folder,
    say_where_records_are,
)
from keras_fmnist.settings import SpecError, shorten
from keras_fmnist.specs import TEST_IMAGES

MOST_PICTURES = 20  # in one figure


def predict(
    catalogue: Catalogue,
    *images: Annotated[
        str | int, "files such as photo.jpg, and indices of the test set such as 17"
    ],
    experiment: Annotated[str | None, "the classifier; its autoencoder rebuilds"] = None,
    seed: SeedOfRun = 0,
    picture: Annotated[str, "the PNG to draw"] = "prediction.png",
    out: RecordsFolder = None,
) -> None:
    """Says what is on a picture, and draws its reconstruction and what is most like it.

    Raises:
        SpecError: an argument is wrong, or a picture cannot be read; nothing was written.
        WeightsError: the weights are damaged.
    """
    usual = catalogue.classifier
    spec = usual if experiment is None else find_experiment(catalogue.specs, experiment)
    if not spec.is_classifier:
        raise SpecError(f"{spec.id} is an autoencoder: name a classifier, such as {usual.id}")
    check_int("seed", seed, 0, 2**31 - 1)
    out = find_records_folder(out)
    check_target("picture", picture, ".png")
    if not 1 <= len(images) <= MOST_PICTURES:
        raise SpecError(
            f"name 1 to {MOST_PICTURES} pictures, each a file such as photo.jpg "
            "or the index of a test image such as 17"
        )
    from keras_fmnist.inference import photos

    read = [
        _check_index(word) if isinstance(word, int) else photos.read(_check_file(word))
        for word in images
    ]
    if os.path.exists(picture) and any(
        isinstance(word, str) and os.path.samefile(word, picture) for word in images
    ):
        raise SpecError(f"picture {picture} would replace a picture that is to be read")
    backends.select_device("cpu")
    from keras_fmnist import data
    from keras_fmnist.inference import prediction, trained
    from keras_fmnist.reporting import figures

    record, encoder = (trained.find(out, s.id, seed) for s in (spec, spec.autoencoder))
    say_where_records_are(out)
    classifier = trained.load(out, record, spec)
    autoencoder = trained.load(out, encoder, spec.autoencoder)
    dataset = data.load()
    read = [prediction.from_test_set(p, dataset) if isinstance(p, int) else p for p in read]
    folder = data.cache_file().parent
    predictions = prediction.predict(classifier, autoencoder, read, dataset, folder)
    for one in predictions:
        print(*one.lines(), sep="\n")
    figures.write_predictions(picture, predictions)
    print(f"{picture}: classes by {spec.id}, the rest by {spec.autoencoder.id}")


def _check_index(word: int) -> int:
    if isinstance(word, bool) or not 0 <= word < TEST_IMAGES:
        raise SpecError(
            f"{word} is no test image: they go from 0 to {TEST_IMAGES - 1}; a file of that name "
            f"is written ./{word}"
        )
    return word


def _check_file(word: object) -> str:
    if not isinstance(word, str) or not word.strip():
        raise SpecError(
            f"{shorten(word)} is no picture: a file of that name is written with ./ before it"
        )
    return word
