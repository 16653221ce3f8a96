"""`keras-fmnist live`: measures what the live page needs of the data set."""

from typing import Annotated

from keras_fmnist import backends
from keras_fmnist.claims.catalogue import Catalogue
from keras_fmnist.cli.arguments import RecordsFolder, check_int, find_records_folder
from keras_fmnist.settings import SpecError


def prepare_live(
    catalogue: Catalogue,
    *,
    seed: Annotated[int, "of the runs"] = 0,
    out: RecordsFolder = None,
) -> None:
    """Measures what the live page needs of the data set; `report` then writes that page.

    Raises:
        SpecError: an argument is wrong, or weights are missing; nothing was written.
        WeightsError: the weights are damaged.
    """
    check_int("seed", seed, 0, 2**31 - 1)
    out = find_records_folder(out, is_written=True, takes_published=False)
    specs = [*catalogue.live.classifiers, *catalogue.live.autoencoders]
    if not specs:
        raise SpecError("no net is declared for the live page")
    backends.select_device("cpu")
    from keras_fmnist import data
    from keras_fmnist.inference import live_data, trained

    records = [trained.find(out, spec.id, seed) for spec in specs]
    nets = [trained.load(out, run, spec) for run, spec in zip(records, specs, strict=True)]
    print(live_data.write(out, live_data.measure(nets, data.load())))
