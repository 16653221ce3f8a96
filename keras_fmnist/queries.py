"""What the commands do that read records and train nothing."""

import shutil
from collections.abc import Sequence
from typing import TYPE_CHECKING

from keras_fmnist import alternatives, assumptions, checks, grouping, results
from keras_fmnist.claims import judge, table
from keras_fmnist.files import write_json
from keras_fmnist.specs import (
    AutoencoderSpec,
    ClassifierSpec,
    Spec,
    differences,
    restored,
    settings,
)

if TYPE_CHECKING:
    from keras_fmnist.catalogue import Catalogue


def list_experiments(specs: Sequence[Spec], out: str = results.STUDY) -> None:
    """Prints every experiment and how many runs of it lie under `out`."""
    checks.records(out)
    counts = {}
    for record in results.read_all(out):
        counts[record.id] = counts.get(record.id, 0) + 1
    width = max(len(spec.id) for spec in specs)
    for spec in specs:
        count = counts.get(spec.id, 0)
        print(f"{spec.id:{width}}  {count} run{'s' * (count != 1):1}  {spec.summary}")


def inspect(
    specs: Sequence[AutoencoderSpec | ClassifierSpec],
    experiment: str,
    seed: int = 0,
    out: str = results.STUDY,
) -> None:
    """Prints an experiment's net layer by layer, its dead units, and what to be warned of.

    Where `out` holds a run of it with this seed, these are that run's settings and weights.

    Raises:
        SpecError: an argument is wrong.
        WeightsError: the run's weights are not those that its record names.
    """
    spec = checks.experiment(specs, experiment)
    checks.whole("seed", seed, 0, 2**31 - 1)
    checks.records(out)
    checks.device("cpu")
    record = grouping.of_seed([r for r in results.read_all(out) if r.id == spec.id], seed)
    changes = differences(record.spec, settings(spec)) if record else []
    spec = restored(spec, record.spec) if record else spec
    from keras_fmnist import baselines, data, inspection, models, pitfalls, train, weights
    from keras_fmnist.callbacks import scale

    model = models.build(spec, seed)
    source = f"the fresh weights of seed {seed}, because {out} holds no trained ones"
    if record:
        path = results.weights_path(results.path_of(out, record))
        if path.exists():
            weights.set_arrays(model, weights.load(path, record.weights_sha256["final"]))
            source = f"the weights of {path}"
    print(f"{'; '.join([spec.id, *changes])}: {source}")
    dataset = data.load()
    images = scale(dataset.test_images, spec.darkest)
    rows = inspection.measure(model, images[:1000], spec.batch_size, seed)
    print(*inspection.table(rows), sep="\n")
    warnings = pitfalls.in_net(model, train.loss_of(spec), rows)
    print("dead latents: {} of {}".format(*inspection.dead(model.get_layer("encoder"), images)))
    if isinstance(spec, ClassifierSpec):
        print("dead logits: {} of {}".format(*inspection.dead(model, images)))
    else:
        seen = dataset.train_images[: record.examples if record else None]
        losses, _ = baselines.measure(seen, dataset.test_images, spec.code_size, spec.darkest)
        losses |= {"val_loss": record.metrics["val_loss"]} if record else {}
        print(words(losses))
        warnings += pitfalls.in_autoencoder(spec, losses["pca_loss"], losses.get("val_loss"))
    print(*(f"warning: {warning}" for warning in warnings), sep="\n")


def rank_assumptions(catalogue: "Catalogue", out: str = results.STUDY) -> None:
    """Prints every reading that has been run, nearest to its printed row first.

    Then what is said of each way to fill the gap for which no number is printed.
    """
    checks.records(out)
    records = results.read_all(out)
    ranked = assumptions.table(catalogue.questions, records)
    print(ranked or f"no reading has been run under {out}: keras-fmnist study 'assumptions/*'")
    if catalogue.alternatives:
        print(f"\n{alternatives.table(catalogue.alternatives, records)}")


def judge_claims(catalogue: "Catalogue", out: str = results.STUDY, json: str | None = None) -> None:
    """Prints what each report claims, what the records under `out` say, and the verdict.

    Raises:
        SpecError: an argument is wrong; nothing was written.
    """
    checks.records(out)
    if json is not None:
        checks.target("json", json, ".json")
    rows = judge(catalogue.claims, results.read_all(out))
    print(*table(rows, shutil.get_terminal_size().columns), sep="\n")
    if json is not None:
        write_json(json, rows)


def words(metrics: dict[str, float]) -> str:
    """Metrics in one line: `loss 0.0412, val_loss 0.0370`."""
    shown = (f"{name} {value:.4g}" for name, value in sorted(metrics.items()))
    return ", ".join(shown)
