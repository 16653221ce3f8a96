"""What the commands do, once the command line knows that every argument is right.

Keras is imported here and not before, so that help and errors come at once.
"""

import contextlib
import importlib.util
import itertools
import re
from collections.abc import Sequence
from fnmatch import fnmatch

from keras_fmnist import checks, provenance, results
from keras_fmnist.queries import words
from keras_fmnist.seeds import use_deterministic_kernels
from keras_fmnist.settings import SpecError, shown
from keras_fmnist.specs import TRAIN_IMAGES, AutoencoderSpec, ClassifierSpec


def run_experiments(
    specs: Sequence[AutoencoderSpec | ClassifierSpec],
    seed: int = 0,
    seeds: int = 1,
    device: str = "auto",
    out: str = results.RUNS,
    examples: int | None = None,
    force: bool = False,
    track: str | None = None,
    resume: bool = False,
    checkpoint_every: int | None = None,
    deterministic: bool = False,
) -> None:
    """Runs experiments one after the other, draws their figures and says where everything is.

    Raises:
        SpecError: an argument is wrong; nothing was trained or written.
        KeyboardInterrupt: it was interrupted; the message says how to go on.
    """
    checks.whole("seeds", seeds, 1, 1000)
    checks.whole("seed", seed, 0, 2**31 - seeds)
    if examples is not None:
        checks.whole("examples", examples, 1, TRAIN_IMAGES)
    if checkpoint_every is not None:
        checks.whole("checkpoint_every", checkpoint_every, 1, TRAIN_IMAGES)
    checks.flag("force", force)
    checks.tracker(track)
    checks.flag("resume", resume)
    checks.flag("deterministic", deterministic)
    checks.folder(out)
    where = _resolve_device(device, deterministic)
    from keras_fmnist import checkpoint_file, figures, study, train

    numbers = range(seed, seed + seeds)
    if not force:  # a conflict at the third experiment must not show after the first two have run
        study.plan(specs, numbers, out, checks.backend(), where, examples or TRAIN_IMAGES)
        for spec, number in itertools.product(specs, numbers):
            path = results.run_path(out, spec.id, number, checks.backend(), where)
            checkpoint_file.refuse(results.checkpoint_path(path), path, spec, resume)
    how = {"force": force, "track": track, "resume": resume, "deterministic": deterministic}
    with _saying("the same command with --resume goes on"):
        for spec in specs:
            for number in numbers:
                record = train.run(
                    spec, number, out, examples=examples, checkpoint_every=checkpoint_every, **how
                )
                print(f"{record.id} seed {record.seed}: {words(record.metrics)}", flush=True)
            pictures = figures.draw(out, record.id)
            print(
                f"  {pictures[0].parent}: record, weights and {len(pictures)} figures", flush=True
            )


@contextlib.contextmanager
def _saying(remedy):
    """Has an interrupt, and a file that cannot be written, say how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"interrupted: {remedy}") from None
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise RuntimeError(f"what is said is read no longer: {remedy}") from None
        if error.filename is None:
            raise
        raise RuntimeError(
            f"{error.filename} cannot be written ({error.strerror}); once it can, {remedy}"
        ) from None


def run_study(
    specs: Sequence[AutoencoderSpec | ClassifierSpec],
    globs: Sequence[str] = (),
    seeds: int = 5,
    jobs: int | None = None,
    device: str = "auto",
    out: str = results.STUDY,
    engine: str = "local",
    address: str | None = None,
) -> None:
    """Runs what is missing of the experiments that match, over several seeds, side by side.

    Raises:
        SpecError: an argument is wrong; nothing was trained or written.
        RuntimeError: a run failed, or no Ray cluster answers at the address.
    """
    for glob in globs:
        if not isinstance(glob, str) or not any(fnmatch(spec.id, glob) for spec in specs):
            raise SpecError(
                f"{shown(glob)} matches no experiment; try mansilla/* or */classifier_*"
            )
    chosen = [spec for spec in specs if not globs or any(fnmatch(spec.id, g) for g in globs)]
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
        processors = 1 if device == "gpu" else provenance.usable_cores()
        places = study.Local(out, device, jobs or processors)
    print(f"runs missing under {out}: {len(missing)}; {places.places} at a time", flush=True)
    try:
        with _saying("the same command goes on"):
            study.run(missing, places)
    finally:  # what has succeeded before a failure has its figures too
        for experiment_id in dict.fromkeys(job.spec.id for job in missing if job.path.exists()):
            figures.draw(out, experiment_id)


def _check_engine(engine, address):
    """Holds engine and address to what `run_study` takes."""
    if engine not in ("local", "ray"):
        raise SpecError(f"engine must be local or ray, not {shown(engine)}")
    if engine == "local" and address is not None:
        raise SpecError("address belongs to the engine ray: add --engine ray, or leave it out")
    host_port = isinstance(address, str) and re.fullmatch(r"[^\s:]+:([0-9]{1,5})", address)
    if address not in (None, "auto") and not (host_port and 0 < int(host_port[1]) < 2**16):
        raise SpecError(
            f"address must be auto, or host:port such as 10.0.0.1:6379, not {shown(address)}"
        )
    if engine == "ray" and importlib.util.find_spec("ray") is None:
        raise SpecError("ray is not installed: pip install 'keras-fmnist[ray]'")


def _resolve_device(device, deterministic=False):
    """Cpu or gpu: what was asked for, where it is there."""
    checks.device(device)
    if deterministic:
        use_deterministic_kernels()
    from keras_fmnist import train

    if device == "gpu" and train.device() != "gpu":
        raise SpecError(
            f"device gpu: {checks.backend()} finds no GPU here; leave it out, or say cpu"
        )
    return train.device()


def prepare_data(force: bool = False) -> None:
    """Prepares the data where they are not, and prints what they are."""
    from keras_fmnist import data

    data.prepare(force=checks.flag("force", force))
    for name, value in data.describe().items():
        print(f"{name:7} {value}")
