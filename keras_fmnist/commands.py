"""What the commands do, once the command line knows that every argument is right.

Keras is imported here and not before, so that help and errors come at once.
"""

import importlib.util
import os
import re
import shutil
from fnmatch import fnmatch

from keras_fmnist import assumptions, checks, results
from keras_fmnist.claims import judge, table
from keras_fmnist.files import write_json
from keras_fmnist.settings import SpecError
from keras_fmnist.specs import TRAIN_IMAGES, ClassifierSpec, differences, restored, settings


def run_experiments(
    specs, seed=0, seeds=1, device="auto", out=results.RUNS, examples=None, force=False
):
    """Runs experiments one after the other, draws their figures and says where everything is.

    Raises:
        SpecError: an argument is wrong; nothing was trained or written.
    """
    checks.whole("seed", seed, 0, 2**31 - 1)
    checks.whole("seeds", seeds, 1, 1000)
    if examples is not None:
        checks.whole("examples", examples, 1, TRAIN_IMAGES)
    checks.flag("force", force)
    checks.folder(out)
    where = _resolve_device(device)
    from keras_fmnist import figures, study, train

    numbers = range(seed, seed + seeds)
    if not force:  # a conflict at the third experiment must not show after the first two have run
        study.plan(specs, numbers, out, checks.backend(), where, examples or TRAIN_IMAGES)
    for spec in specs:
        for number in numbers:
            record = train.run(spec, number, out, examples=examples, force=force)
            print(f"{record.id} seed {record.seed}: {_words(record.metrics)}", flush=True)
        pictures = figures.draw(out, record.id)
        print(f"  {pictures[0].parent}: record, weights and {len(pictures)} figures", flush=True)


def _words(metrics):
    shown = (f"{name} {value:.4g}" for name, value in sorted(metrics.items()))
    return ", ".join(shown)


def run_study(
    specs,
    globs=(),
    seeds=5,
    jobs=None,
    device="auto",
    out=results.STUDY,
    engine="local",
    address=None,
):
    """Runs what is missing of the experiments that match, over several seeds, side by side.

    Raises:
        SpecError: an argument is wrong; nothing was trained or written.
        RuntimeError: a run failed, or no Ray cluster answers at the address.
    """
    chosen = [spec for spec in specs if not globs or any(fnmatch(spec.id, str(g)) for g in globs)]
    for glob in globs:
        if not any(fnmatch(spec.id, str(glob)) for spec in specs):
            raise SpecError(f"{glob!r} matches no experiment; try mansilla/* or */classifier_*")
    checks.whole("seeds", seeds, 1, 1000)
    if jobs is not None:
        checks.whole("jobs", jobs, 1, 1000)
    checks.folder(out)
    _check_engine(engine, address)
    if engine == "ray" and device == "gpu":
        checks.backend()  # the nodes must have GPUs, this machine need not
    else:
        device = _resolve_device(device)
    from keras_fmnist import figures, study

    missing = study.plan(chosen, range(seeds), out, checks.backend(), device)
    if missing and engine == "ray":
        from keras_fmnist import ray_engine

        places = ray_engine.Cluster(out, device, jobs, address)
    else:
        processors = 1 if device == "gpu" else len(os.sched_getaffinity(0))
        places = study.Local(out, device, jobs or processors)
    print(f"{len(missing)} runs are missing under {out}; {places.places} at a time", flush=True)
    study.run(missing, places)
    for experiment_id in dict.fromkeys(job.spec.id for job in missing):
        figures.draw(out, experiment_id)


def _check_engine(engine, address):
    """Holds engine and address to what `run_study` takes."""
    if engine not in ("local", "ray"):
        raise SpecError(f"engine must be local or ray, not {engine!r}")
    if engine == "local" and address is not None:
        raise SpecError("address belongs to the engine ray: add --engine ray, or leave it out")
    host_port = re.fullmatch(r"[^\s:]+:(\d{1,5})", str(address))
    if address not in (None, "auto") and not (host_port and 0 < int(host_port[1]) < 2**16):
        raise SpecError(f"address must be auto, or host:port such as 10.0.0.1:6379, not {address}")
    if engine == "ray" and importlib.util.find_spec("ray") is None:
        raise SpecError("ray is not installed: pip install 'keras-fmnist[ray]'")


def _resolve_device(device):
    """Cpu or gpu: what was asked for, where it is there."""
    checks.device(device)
    from keras_fmnist import train

    if device == "gpu" and train.device() != "gpu":
        raise SpecError(
            f"device gpu: {checks.backend()} finds no GPU here; leave it out, or say cpu"
        )
    return train.device()


def list_experiments(specs, out=results.STUDY):
    """Prints every experiment and how many runs of it lie under `out`."""
    checks.folder(out)
    counts = {}
    for record in results.read_all(out):
        counts[record.id] = counts.get(record.id, 0) + 1
    width = max(len(spec.id) for spec in specs)
    for spec in specs:
        print(f"{spec.id:{width}}  {counts.get(spec.id, 0)} runs  {spec.summary}")


def inspect(specs, experiment, seed=0, out=results.STUDY):
    """Prints an experiment's net layer by layer, its dead units, and what to be warned of.

    Where `out` holds a run of it with this seed, these are that run's settings and weights.

    Raises:
        SpecError: an argument is wrong.
        WeightsError: the run's weights are not those that its record names.
    """
    spec = checks.experiment(specs, experiment)
    checks.whole("seed", seed, 0, 2**31 - 1)
    checks.folder(out)
    checks.device("cpu")
    runs = [r for r in results.read_all(out) if (r.id, r.seed) == (spec.id, seed)]
    record = results.leading_group(runs)[0] if runs else None
    changes = differences(record.spec, settings(spec)) if record else []
    spec = restored(spec, record.spec) if record else spec
    from keras_fmnist import baselines, data, inspection, models, pitfalls, train, weights
    from keras_fmnist.callbacks import scale

    model = models.build(spec, seed)
    source = f"the fresh weights of seed {seed}, because {out} holds no trained ones"
    if record:
        path = results.run_path(out, record.id, seed, record.backend, record.device)
        path = results.weights_path(path)
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
        print(_words(losses))
        warnings += pitfalls.in_autoencoder(spec, losses["pca_loss"], losses.get("val_loss"))
    print(*(f"warning: {warning}" for warning in warnings), sep="\n")


def prepare_data(force=False):
    """Prepares the data where they are not, and prints what they are."""
    from keras_fmnist import data

    data.prepare(force=checks.flag("force", force))
    for name, value in data.describe().items():
        print(f"{name:7} {value}")


def rank_assumptions(catalogue, out=results.STUDY):
    """Prints every reading that has been run, nearest to its printed row first."""
    checks.folder(out)
    ranked = assumptions.table(catalogue.questions, results.read_all(out))
    print(ranked or f"no reading has been run under {out}: keras-fmnist study 'assumptions/*'")


def judge_claims(catalogue, out=results.STUDY, json=None):
    """Prints what each report claims, what the records under `out` say, and the verdict.

    Raises:
        SpecError: an argument is wrong; nothing was written.
    """
    checks.folder(out)
    if json is not None:
        checks.target("json", json, ".json")
    rows = judge(catalogue.claims, results.read_all(out))
    print(*table(rows, shutil.get_terminal_size().columns), sep="\n")
    if json is not None:
        write_json(json, rows)
