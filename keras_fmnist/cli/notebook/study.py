"""The study from Python: experiments, records and claims. No framework is needed."""

from collections.abc import Sequence
from importlib.metadata import entry_points

from keras_fmnist.claims.catalogue import Catalogue
from keras_fmnist.claims.claim import Verdict
from keras_fmnist.claims.claim import judge_claims as judge
from keras_fmnist.cli.arguments import find_experiment, find_records_folder
from keras_fmnist.cli.notebook import displays
from keras_fmnist.records import record as record_files
from keras_fmnist.records.record import Record
from keras_fmnist.specs import AutoencoderSpec, ClassifierSpec

Experiment = AutoencoderSpec | ClassifierSpec
ENTRY_POINT = "keras_fmnist.catalogue"  # see pyproject.toml: the library knows no experiment


def list_experiments() -> list[Experiment]:
    """Lists the experiments of both reports, and ours.

    Example:
        >>> import keras_fmnist
        >>> [spec.id for spec in keras_fmnist.list_experiments()][:3]
        ['mansilla/untrained', 'mansilla/base', 'mansilla/dropout_01']
        >>> keras_fmnist.list_experiments()[1].latent
        64
    """
    return _load_catalogue().specs


def read_records(out: str | None = None) -> list[Record]:
    """Reads the records of a study.

    Args:
        out: their folder, such as `"runs"`; else `results` here, or the published study.

    Raises:
        SpecError: the folder is not there.
        RecordError: a record is damaged.

    Example:
        >>> records = keras_fmnist.read_records()
        >>> len([record for record in records if record.id == "mansilla/base"]) >= 3
        True
    """
    return record_files.read_records(find_records_folder(out))


def judge_claims(records: Sequence[Record] | None = None) -> list[Verdict]:
    """Judges every claim of both reports by records.

    Args:
        records: those of the study where None.

    Example:
        >>> verdicts = keras_fmnist.judge_claims()
        >>> verdict = next(v for v in verdicts if v.claim.id == "mansilla/latent_256_better")
        >>> verdict.claim.claim.english
        "latent_256's validation loss is below base's and dropout_01's"
        >>> verdict.word in ("reproduced", "not reproduced", "varies", "undecided")
        True
    """
    records = read_records() if records is None else records
    return judge(_load_catalogue().claims, records)


def _load_catalogue() -> Catalogue:
    found = [*entry_points(group=ENTRY_POINT)]
    if not found:
        raise RuntimeError(
            "no experiments are installed with keras_fmnist: pip install -e . in its clone"
        )
    return found[0].load()


def find_spec(experiment: str | Experiment) -> Experiment:
    """Returns the spec of an experiment or a reading by its id; a spec is returned as it is.

    Raises:
        SpecError: there is no such experiment.
    """
    if isinstance(experiment, Experiment):
        return experiment
    catalogue = _load_catalogue()
    return find_experiment([*catalogue.specs, *catalogue.readings], experiment)


displays.register()
