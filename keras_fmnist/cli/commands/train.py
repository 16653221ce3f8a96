"""What the commands do, once the command line knows that every argument is right.

Keras is imported here and not before, so that help and errors come at once.
"""

import itertools
from collections.abc import Sequence

from keras_fmnist import backends
from keras_fmnist.backends import resolve_device
from keras_fmnist.cli.arguments import check_flag, check_folder, check_int, check_tracker
from keras_fmnist.cli.output import format_metrics, say_how_to_go_on
from keras_fmnist.records.run import RUNS, checkpoint_path, run_path
from keras_fmnist.specs import TRAIN_IMAGES, AutoencoderSpec, ClassifierSpec

RUN_FLAGS = {
    "seed": (0, "initial weights, order and dropout follow from it"),
    "device": ("auto", "cpu, gpu, or auto: a GPU where there is one"),
    "out": (RUNS, "folder for records, weights and figures"),
    "examples": (None, "train on the first so many images only, for a quick look"),
    "force": (False, "train again what is there, and replace it"),
    "track": (None, "mlflow or tensorboard: follow the training there, in files below `out`"),
    "resume": (False, "go on where it was interrupted"),
    "checkpoint_every": (None, "save after each so many steps too, not at an epoch's end alone"),
    "deterministic": (False, "on a GPU, kernels that give the same bits every time; slower"),
}


def run_experiments(
    specs: Sequence[AutoencoderSpec | ClassifierSpec],
    seed: int = 0,
    seeds: int = 1,
    device: str = "auto",
    out: str = RUNS,
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
    check_int("seeds", seeds, 1, 1000)
    check_int("seed", seed, 0, 2**31 - seeds)
    if examples is not None:
        check_int("examples", examples, 1, TRAIN_IMAGES)
    if checkpoint_every is not None:
        check_int("checkpoint_every", checkpoint_every, 1, TRAIN_IMAGES)
    check_flag("force", force)
    check_tracker(track)
    check_flag("resume", resume)
    check_flag("deterministic", deterministic)
    check_folder(out)
    where = resolve_device(device, deterministic)
    from keras_fmnist.reporting import figures
    from keras_fmnist.study.jobs import plan_jobs
    from keras_fmnist.training import checkpoint_file, train

    numbers = range(seed, seed + seeds)
    if not force:  # a conflict at the third experiment must not show after the first two have run
        plan_jobs(specs, numbers, out, backends.get_backend(), where, examples or TRAIN_IMAGES)
        for spec, number in itertools.product(specs, numbers):
            path = run_path(out, spec.id, number, backends.get_backend(), where)
            checkpoint_file.refuse(checkpoint_path(path), path, spec, resume)
    how = {"force": force, "track": track, "resume": resume, "deterministic": deterministic}
    with say_how_to_go_on("the same command with --resume goes on"):
        for spec in specs:
            for number in numbers:
                record = train.run(
                    spec, number, out, examples=examples, checkpoint_every=checkpoint_every, **how
                )
                print(
                    f"{record.id} seed {record.seed}: {format_metrics(record.metrics)}", flush=True
                )
            pictures = figures.draw(out, record.id)
            print(
                f"  {pictures[0].parent}: record, weights and {len(pictures)} figures", flush=True
            )
