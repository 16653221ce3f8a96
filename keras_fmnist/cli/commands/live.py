"""`keras-fmnist live`: measures what the live page needs of the data set."""

from keras_fmnist import backends
from keras_fmnist.claims.catalogue import Catalogue
from keras_fmnist.cli.arguments import RecordsFolder, SeedOfRun, check_int, find_records_folder


def measure_for_live_page(
    catalogue: Catalogue, *, seed: SeedOfRun = 0, out: RecordsFolder = None
) -> None:
    """Measures what the live page needs of the data set; `report` then writes that page.

    Raises:
        SpecError: an argument is wrong, or weights are missing; nothing was written.
        WeightsError: the weights are damaged.
    """
    check_int("seed", seed, 0, 2**31 - 1)
    out = find_records_folder(out, is_written=True, takes_published=False)
    backends.select_device("cpu")
    from keras_fmnist import data
    from keras_fmnist.inference import trained
    from keras_fmnist.inference.live_data import measure_live_data, write_live_data

    specs = [*catalogue.live.classifiers, *catalogue.live.autoencoders]
    records = [trained.find(out, spec.id, seed) for spec in specs]
    nets = [trained.load(out, run, spec) for run, spec in zip(records, specs, strict=True)]
    print(write_live_data(out, measure_live_data(nets, data.load())))
