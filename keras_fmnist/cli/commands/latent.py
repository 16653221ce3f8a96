"""`keras-fmnist latent`: maps latent spaces."""

from typing import Annotated

from keras_fmnist import backends
from keras_fmnist.claims.catalogue import Catalogue
from keras_fmnist.cli.arguments import (
    RecordsFolder,
    SeedOfRun,
    check_int,
    find_experiment,
    find_records_folder,
    say_where_records_are,
)
from keras_fmnist.records.json_files import write_dataclass
from keras_fmnist.records.run import locate_latent_space
from keras_fmnist.settings import SpecError


def map_latent_spaces(
    catalogue: Catalogue,
    *experiments: Annotated[str, "such as mansilla/base; every autoencoder where none is given"],
    seed: SeedOfRun = 0,
    out: RecordsFolder = None,
) -> None:
    """Maps latent spaces by PCA and t-SNE, with lines between images, drawn beside the record.

    Raises:
        SpecError: an argument is wrong; nothing was written.
        WeightsError: the weights are damaged.
    """
    chosen = [find_experiment(catalogue.specs, name) for name in experiments]
    for spec in chosen:
        if spec.is_classifier:
            raise SpecError(
                f"{spec.id} is a classifier: name its autoencoder, {spec.autoencoder.id}"
            )
    check_int("seed", seed, 0, 2**31 - 1)
    out = find_records_folder(out, is_written=True)
    backends.select_device("cpu")
    from keras_fmnist import data
    from keras_fmnist.inference import trained
    from keras_fmnist.inference.latent import measure_latent_space
    from keras_fmnist.reporting import figures

    if not chosen:
        runs = trained.find_all(out, seed)
        chosen = [s for s in catalogue.specs if s.id in runs and not s.is_classifier]
    if not chosen:
        raise SpecError(f"{out} holds no weights of an autoencoder, seed {seed}")
    records = [trained.find(out, spec.id, seed) for spec in chosen]
    say_where_records_are(out)
    dataset = data.load()
    for spec, record in zip(chosen, records, strict=True):
        net = trained.load(out, record, spec)
        path = locate_latent_space(out, spec.id)
        write_dataclass(path, measure_latent_space(net, dataset))
        drawn = [p for p in figures.draw(out, spec.id) if p.stem.endswith(("_latent", "_line"))]
        if not drawn:
            raise RuntimeError(f"{path}: figures are not drawn from the run of seed {seed}")
        print(path, *drawn, sep="\n", flush=True)
