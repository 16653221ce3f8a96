"""`keras-fmnist inspect`: measures a net layer by layer, and warns of mistakes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from keras_fmnist import backends
from keras_fmnist.claims.catalogue import Catalogue
from keras_fmnist.cli.arguments import (
    RecordsFolder,
    check_int,
    find_experiment,
    find_records_folder,
    say_where_records_are,
)
from keras_fmnist.cli.output import format_metrics, format_table
from keras_fmnist.records.groups import find_seed
from keras_fmnist.records.record import read_records
from keras_fmnist.specs import differences, restored, settings

if TYPE_CHECKING:
    from keras_fmnist.models.inspection import Row

COLUMNS = ("layer", "output", "parameters", "bias alone", "training / evaluation")


def inspect(
    catalogue: Catalogue,
    experiment: Annotated[str, "such as mansilla/base"],
    *,
    seed: Annotated[int, "of the run whose weights are taken, or else of fresh ones"] = 0,
    out: RecordsFolder = None,
) -> None:
    """Prints a net layer by layer, its dead units, and warnings.

    If `out` holds a run of it with this seed, the settings and weights are those of the run.

    Raises:
        SpecError: an argument is wrong.
        WeightsError: the run's weights are not those that its record names.
    """
    spec = find_experiment(catalogue.specs, experiment)
    check_int("seed", seed, 0, 2**31 - 1)
    out = find_records_folder(out)
    backends.select_device("cpu")
    record = find_seed([r for r in read_records(out) if r.id == spec.id], seed)
    changes = differences(record.spec, settings(spec)) if record else []
    spec = restored(spec, record.spec) if record else spec
    from keras_fmnist import data
    from keras_fmnist.data.pixels import scale_pixels
    from keras_fmnist.models import baselines, diagnostics, inspection, networks, weights
    from keras_fmnist.training.compile import build_loss

    model = networks.build(spec, seed)
    source = f"the fresh weights of seed {seed}, because {out} holds no trained ones"
    if record and (path := record.files(out).weights).exists():
        weights.set_arrays(model, weights.load(path, record.weights_sha256["final"]))
        source = f"the weights of {path}"
    say_where_records_are(out)
    print(f"{'; '.join([spec.id, *changes])}: {source}")
    dataset = data.load()
    images = scale_pixels(dataset.test_images, spec.pixel_min)
    rows = inspection.measure_layers(model, images[:1000], spec.batch_size, seed)
    print(format_layers(rows))
    warnings = diagnostics.diagnose_net(model, build_loss(spec), rows)
    encoder = model.get_layer("encoder")
    print("dead latents: {} of {}".format(*inspection.count_dead(encoder, images)))
    if spec.is_classifier:
        print("dead logits: {} of {}".format(*inspection.count_dead(model, images)))
    else:
        seen = dataset.train_images[: record.examples if record else None]
        losses, _ = baselines.measure(seen, dataset.test_images, spec.code_size, spec.pixel_min)
        losses |= {"val_loss": record.metrics["val_loss"]} if record else {}
        print(format_metrics(losses))
        warnings += diagnostics.diagnose_autoencoder(
            spec, losses["pca_loss"], losses.get("val_loss")
        )
    print(*(f"warning: {warning}" for warning in warnings), sep="\n")


def format_layers(rows: "Sequence[Row]") -> str:
    """Formats the layers as a table, with the sum of the parameters in the last line."""
    cells = [
        (
            row.name,
            "×".join(map(str, row.shape)),
            str(row.parameters or ""),
            "" if row.positions is None else f"{row.bias_alone} of {row.positions}",
            f"{row.gap:.2f}",
        )
        for row in rows
    ]
    total = ("", "", str(sum(row.parameters for row in rows)), "", "")
    return format_table([*cells, total], COLUMNS, numbers=(2, 3, 4))
