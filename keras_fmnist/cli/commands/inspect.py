"""What the commands do that read records and train nothing."""

from collections.abc import Sequence

from keras_fmnist import backends
from keras_fmnist.cli.arguments import check_int, check_records_folder, find_experiment
from keras_fmnist.cli.output import format_metrics
from keras_fmnist.models.inspection import Row
from keras_fmnist.records.groups import find_seed
from keras_fmnist.records.record import locate_record, read_records
from keras_fmnist.records.run import STUDY, weights_path
from keras_fmnist.specs import AutoencoderSpec, ClassifierSpec, differences, restored, settings


def inspect(
    specs: Sequence[AutoencoderSpec | ClassifierSpec],
    experiment: str,
    seed: int = 0,
    out: str = STUDY,
) -> None:
    """Prints an experiment's net layer by layer, its dead units, and what to be warned of.

    Where `out` holds a run of it with this seed, these are that run's settings and weights.

    Raises:
        SpecError: an argument is wrong.
        WeightsError: the run's weights are not those that its record names.
    """
    spec = find_experiment(specs, experiment)
    check_int("seed", seed, 0, 2**31 - 1)
    check_records_folder(out)
    backends.select_device("cpu")
    record = find_seed([r for r in read_records(out) if r.id == spec.id], seed)
    changes = differences(record.spec, settings(spec)) if record else []
    spec = restored(spec, record.spec) if record else spec
    from keras_fmnist import data
    from keras_fmnist.data.batches import scale_pixels
    from keras_fmnist.models import diagnostics, inspection, networks, weights
    from keras_fmnist.training import baselines
    from keras_fmnist.training.compile import build_loss

    model = networks.build(spec, seed)
    source = f"the fresh weights of seed {seed}, because {out} holds no trained ones"
    if record:
        path = weights_path(locate_record(out, record))
        if path.exists():
            weights.set_arrays(model, weights.load(path, record.weights_sha256["final"]))
            source = f"the weights of {path}"
    print(f"{'; '.join([spec.id, *changes])}: {source}")
    dataset = data.load()
    images = scale_pixels(dataset.test_images, spec.darkest)
    rows = inspection.measure_layers(model, images[:1000], spec.batch_size, seed)
    print(*format_layers(rows), sep="\n")
    warnings = diagnostics.diagnose_net(model, build_loss(spec), rows)
    print(
        "dead latents: {} of {}".format(*inspection.count_dead(model.get_layer("encoder"), images))
    )
    if isinstance(spec, ClassifierSpec):
        print("dead logits: {} of {}".format(*inspection.count_dead(model, images)))
    else:
        seen = dataset.train_images[: record.examples if record else None]
        losses, _ = baselines.measure(seen, dataset.test_images, spec.code_size, spec.darkest)
        losses |= {"val_loss": record.metrics["val_loss"]} if record else {}
        print(format_metrics(losses))
        warnings += diagnostics.diagnose_autoencoder(
            spec, losses["pca_loss"], losses.get("val_loss")
        )
    print(*(f"warning: {warning}" for warning in warnings), sep="\n")


def format_layers(rows: Sequence[Row]) -> list[str]:
    """The rows as lines of text below a head; the sum of the parameters is the last."""
    lines = [("layer", "output", "parameters", "bias alone", "training / evaluation")]
    for row in rows:
        shape = "×".join(map(str, row.shape))
        alone = "" if row.positions is None else f"{row.bias_alone} of {row.positions}"
        lines.append((row.name, shape, str(row.parameters or ""), alone, f"{row.gap:.2f}"))
    lines.append(("", "", str(sum(row.parameters for row in rows)), "", ""))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = (
        [f"{cell:{side}{width}}" for cell, side, width in zip(line, "<>>>>", widths, strict=True)]
        for line in lines
    )
    return ["  ".join(cells).rstrip() for cells in padded]
