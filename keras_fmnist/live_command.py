"""What `keras-fmnist live` does: it leaves what the live page needs of the data set."""

from typing import TYPE_CHECKING

from keras_fmnist import checks, results
from keras_fmnist.settings import SpecError

if TYPE_CHECKING:
    from keras_fmnist.catalogue import Catalogue


def prepare_live(catalogue: "Catalogue", seed: int = 0, out: str = results.STUDY) -> None:
    """Measures codes and logits of the live page's nets over the test images, and writes them.

    Raises:
        SpecError: an argument is wrong, or weights are missing; nothing was written.
        WeightsError: the weights are damaged.
    """
    checks.whole("seed", seed, 0, 2**31 - 1)
    checks.records(out)
    specs = [*catalogue.live.classifiers, *catalogue.live.autoencoders]
    if not specs:
        raise SpecError("no net is declared for the live page")
    checks.device("cpu")
    from keras_fmnist import data, live_data, trained

    records = [trained.find(out, spec.id, seed) for spec in specs]
    nets = [trained.load(out, run, spec) for run, spec in zip(records, specs, strict=True)]
    print(live_data.write(out, live_data.measure(nets, data.load())))
