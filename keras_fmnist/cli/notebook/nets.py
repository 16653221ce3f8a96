"""Training and trained nets from Python."""

import dataclasses
import re
from typing import TYPE_CHECKING

import numpy as np

from keras_fmnist import backends
from keras_fmnist.cli.arguments import check_flag, check_folder, check_int, find_records_folder
from keras_fmnist.cli.notebook.study import Experiment, find_spec
from keras_fmnist.inference import trained
from keras_fmnist.inference.trained import Trained
from keras_fmnist.records.record import Record
from keras_fmnist.records.run import RUNS, Run
from keras_fmnist.settings import SpecError, shorten, suggest
from keras_fmnist.specs import TRAIN_IMAGES, override, rebuild, with_epochs

if TYPE_CHECKING:
    from keras_fmnist.reporting.figures.style import Figure


def train(
    experiment: str | Experiment,
    *,
    name: str | None = None,
    seed: int = 0,
    epochs: int | None = None,
    examples: int = TRAIN_IMAGES,
    out: str = RUNS,
    force: bool = False,
    **settings: object,
) -> Record:
    """Trains an experiment, with a progress bar, and returns its record.

    What has been trained already is read, and what was interrupted goes on. A classifier's
    autoencoder is trained first.

    Args:
        experiment: such as `"mansilla/base"`, or a spec.
        name: what to call it where it is not the experiment as declared: runs with other settings
            are kept apart by their names.
        seed: initial weights, the order of the images and dropout follow from it.
        epochs: passes over the training images, for a classifier's autoencoder, too.
        examples: train on the first so many images only.
        out: the folder for record and weights.
        force: train again what is there, and replace it.
        settings: other settings than the experiment's, such as `latent=32`, or
            `autoencoder_latent=32` for a classifier's autoencoder.

    Raises:
        SpecError: an argument is wrong, or `out` holds this run with other settings; nothing was
            written.
        DivergedError: the loss became NaN or infinite.

    Example:
        >>> record = keras_fmnist.train("mansilla/base", epochs=1, examples=600)
        >>> record.id, record.examples, sorted(record.history)
        ('mansilla/base', 600, ['loss', 'train_eval_loss', 'val_loss'])
        >>> wide = keras_fmnist.train("mansilla/base", name="wide_code", latent=128,
        ...                           epochs=1, examples=600)
        >>> wide.id, wide.spec["latent"]
        ('mansilla/wide_code', 128)
    """
    spec = find_spec(experiment)
    if name is not None:
        if not isinstance(name, str) or not re.fullmatch(r"\w[\w-]{0,99}", name, re.ASCII):
            raise SpecError(f"name must be a word such as wide_code, not {shorten(name)}")
        spec = dataclasses.replace(spec, name=name)
    check_int("seed", seed, 0, 2**31 - 1)
    check_int("examples", examples, 1, TRAIN_IMAGES)
    check_flag("force", force)
    check_folder(out)
    spec = override(spec, settings)
    if epochs is not None:
        spec = with_epochs(spec, epochs)
    from keras_fmnist.training.train import Options, train_run

    device = backends.find_device()
    run = Run(spec, seed=seed, backend=backends.get_backend(), device=device, examples=examples)
    return train_run(run, out, Options(force=force, resume=not force))


@dataclasses.dataclass(frozen=True, eq=False)
class Net(Trained):
    """A trained net: `predict`, `encode`, `decode`, `logits`, `probabilities` and `plot`.

    Attributes:
        spec: its settings.
        record: of the run that trained it.
        model: the Keras model.
    """

    def plot(self, images: np.ndarray | None = None) -> "Figure":
        """Draws images and what the net makes of them: reconstructions, or classes.

        Args:
            images: `(n, 28, 28, 1)` uint8; a test image of each class where None.
        """
        from keras_fmnist import data
        from keras_fmnist.reporting.figures import draw_classified, draw_copies

        if images is None:
            dataset = data.load()
            images = dataset.test_images[dataset.find_first_of_each_class()]
        if self.spec.is_classifier:
            return draw_classified(images, self.probabilities(images))
        return draw_copies(images, self.predict(images))


def load_net(
    experiment: str | Experiment | Record, *, seed: int = 0, out: str | None = None
) -> Net:
    """Loads a trained net.

    Args:
        experiment: such as `"mansilla/base"`, a spec, or the record of a run.
        seed: of the run; a record has its own. The published study has weights of seed 0.
        out: the folder of the run, such as `"runs"`; else `results` here, or the published study.

    Raises:
        SpecError: an argument is wrong, or the run or its weights are not there.
        WeightsError: the weights are not those that the record names.

    Example:
        >>> net = keras_fmnist.load_net("mansilla/base")
        >>> images = keras_fmnist.load_data().test_images[:5]
        >>> codes = net.encode(images)
        >>> codes.shape, net.decode(codes).shape
        ((5, 64), (5, 28, 28, 1))
        >>> keras_fmnist.load_net("mansilla/classifier_full").predict(images)
        array([9, 2, 1, 1, 6])
    """
    out = find_records_folder(out)
    record = experiment if isinstance(experiment, Record) else _find_run(experiment, seed, out)
    spec = rebuild(record.report, record.experiment, record.spec)
    net = trained.load(out, record, spec)
    return Net(net.spec, net.record, net.model)


def _find_run(experiment, seed, out):
    check_int("seed", seed, 0, 2**31 - 1)
    name = experiment.id if isinstance(experiment, Experiment) else experiment
    if not isinstance(name, str):
        raise SpecError(f"{shorten(name)} is no experiment: name one such as mansilla/base")
    found = trained.find_all(out, seed)
    if name not in found:
        raise SpecError(
            f"{out} holds no weights of {name}, seed {seed}{suggest(name, found)}; "
            f"keras_fmnist.train trains it"
        )
    return found[name]
