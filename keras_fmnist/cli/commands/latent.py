"""TODO."""

from collections.abc import Sequence

from keras_fmnist import backends
from keras_fmnist.cli.arguments import check_int, check_records_folder, find_experiment
from keras_fmnist.records.json_files import write_dataclass
from keras_fmnist.records.run import STUDY, latent_path
from keras_fmnist.settings import SpecError
from keras_fmnist.specs import AutoencoderSpec, ClassifierSpec


def map_latent_spaces(
    specs: Sequence[AutoencoderSpec | ClassifierSpec],
    experiments: Sequence[str] = (),
    seed: int = 0,
    out: str = STUDY,
) -> None:
    """Maps the latent spaces of autoencoders and draws them beside their records.

    Raises:
        SpecError: an argument is wrong; nothing was written.
        WeightsError: the weights are damaged.
    """
    chosen = [find_experiment(specs, name) for name in experiments]
    for spec in chosen:
        if isinstance(spec, ClassifierSpec):
            encoder = spec.autoencoder.id
            raise SpecError(f"{spec.id} is a classifier: name its autoencoder, {encoder}")
    check_int("seed", seed, 0, 2**31 - 1)
    check_records_folder(out)
    backends.select_device("cpu")
    from keras_fmnist import data
    from keras_fmnist.inference import trained
    from keras_fmnist.inference.latent import measure_latent_space
    from keras_fmnist.reporting import figures

    if not chosen:
        there = trained.with_weights(out, seed)
        chosen = [s for s in specs if s.id in there and not isinstance(s, ClassifierSpec)]
    if not chosen:
        raise SpecError(f"{out} holds no weights of an autoencoder, seed {seed}")
    records = [trained.find(out, spec.id, seed) for spec in chosen]
    dataset = data.load()
    for spec, record in zip(chosen, records, strict=True):
        net = trained.load(out, record, spec)
        path = latent_path(out, spec.id)
        write_dataclass(path, measure_latent_space(net, dataset))
        drawn = [p for p in figures.draw(out, spec.id) if p.stem.endswith(("_latent", "_line"))]
        if not drawn:
            raise RuntimeError(f"{path}: seed {seed} is none of the runs that figures are drawn of")
        print(path, *drawn, sep="\n", flush=True)
