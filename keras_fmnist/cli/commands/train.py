"""The commands that train: `python -m experiments.<report> <experiment>`."""

import itertools
from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated

from keras_fmnist import backends
from keras_fmnist.cli.app import Choice, command, read_flags
from keras_fmnist.cli.arguments import (
    Backend,
    Device,
    check_flag,
    check_folder,
    check_int,
    check_tracker,
    select_backend,
)
from keras_fmnist.cli.output import format_metrics, say_how_to_go_on
from keras_fmnist.records.run import NATIVE, RUNS, Run
from keras_fmnist.settings import SpecError, describe, setting_fields
from keras_fmnist.specs import (
    TRAIN_IMAGES,
    AutoencoderSpec,
    ClassifierSpec,
    override,
    settings,
    with_epochs,
)

SEVERAL = {
    "seeds": (1, "run so many seeds, from `seed` on"),
    "epochs": (None, "passes over the training images, for every experiment that trains"),
}


def train_experiments(
    specs: Sequence[AutoencoderSpec | ClassifierSpec],
    *,
    seed: Annotated[int, "initial weights, order and dropout follow from it"] = 0,
    backend: Backend = None,
    device: Device = "auto",
    out: Annotated[str, "folder for records, weights and figures"] = RUNS,
    examples: Annotated[
        int | None, "train on the first so many images only, for a quick look"
    ] = None,
    force: Annotated[bool, "train again what is there, and replace it"] = False,
    track: Annotated[
        str | None, "mlflow or tensorboard: follow the training there, in files below `out`"
    ] = None,
    resume: Annotated[bool, "go on where it was interrupted"] = False,
    checkpoint_every: Annotated[
        int | None, "save after each so many steps too, not at an epoch's end alone"
    ] = None,
    deterministic: Annotated[
        bool, "on a GPU, kernels that give the same bits every time; slower"
    ] = False,
    **several: int | None,
) -> None:
    """Trains experiments one after the other, draws their figures and says where everything is.

    Args:
        specs: the experiments, in their order.
        seed: the first seed.
        backend: torch, jax, tensorflow or pytorch; that of `KERAS_BACKEND` where None.
        device: cpu, gpu or auto.
        out: the folder of the records.
        examples: training images; all of them where None.
        force: train again what is there.
        track: mlflow, tensorboard or None.
        resume: go on with what was interrupted.
        checkpoint_every: steps.
        deterministic: on a GPU, the same bits every time.
        several: `seeds` and `epochs`, see `SEVERAL`.

    Raises:
        SpecError: an argument is wrong; nothing was trained or written.
        KeyboardInterrupt: it was interrupted; the message says how to go on.
    """
    seeds, epochs = (several.get(name, SEVERAL[name][0]) for name in ("seeds", "epochs"))
    if epochs is not None:
        specs = [with_epochs(spec, epochs) if spec.epochs else spec for spec in specs]
    check_int("seeds", seeds, 1, 1000)
    check_int("seed", seed, 0, 2**31 - seeds)
    if examples is not None:
        check_int("examples", examples, 1, TRAIN_IMAGES)
    if checkpoint_every is not None:
        check_int("checkpoint_every", checkpoint_every, 1, TRAIN_IMAGES)
    check_flag("force", force)
    check_flag("resume", resume)
    check_flag("deterministic", deterministic)
    check_folder(out)
    check_tracker(track, out)
    backend = select_backend(backend)
    if backend == NATIVE and (track or checkpoint_every or deterministic):
        raise SpecError(
            "track, checkpoint_every and deterministic belong to Keras's fit: leave them out with "
            "--backend pytorch"
        )
    device = backends.resolve_device(device, deterministic)
    from keras_fmnist.reporting import figures
    from keras_fmnist.study.jobs import plan_jobs
    from keras_fmnist.training import checkpoint_file
    from keras_fmnist.training.train import Options, train_run

    runs = [
        Run(spec, number, backend, device, examples or TRAIN_IMAGES)
        for spec, number in itertools.product(specs, range(seed, seed + seeds))
    ]
    if not force:  # find a conflict of the third experiment before the first two have run
        plan_jobs(runs, out)
        for run in runs:
            checkpoint_file.refuse(run.files(out), run.spec, resume)
    if backend == NATIVE:
        from keras_fmnist.pytorch.train import train_native

        train = partial(train_native, out=out, force=force)
    else:
        options = Options(force, track, resume, checkpoint_every, deterministic=deterministic)
        train = partial(train_run, out=out, options=options)
    with say_how_to_go_on("the same command with --resume goes on"):
        for spec, group in itertools.groupby(runs, lambda run: run.spec):
            for run in group:
                record = train(run)
                print(f"{run.title}: {format_metrics(record.metrics)}", flush=True)
            pictures = figures.draw(out, spec.id)
            print(
                f"  {pictures[0].parent}: record, weights and {len(pictures)} figures", flush=True
            )


def build_experiment_commands(
    specs: Sequence[AutoencoderSpec | ClassifierSpec],
) -> dict[str, Callable[..., Choice]]:
    """Builds the commands of one report: one for each experiment, and `all`."""
    commands = {spec.name: _build_experiment_command(spec) for spec in specs}
    doc = f"Every experiment of {specs[0].report}, in order."
    commands["all"] = command(train_experiments, specs, doc=doc, flags=SEVERAL)
    return commands


def _build_experiment_command(spec):
    run_flags = read_flags(train_experiments, skip=1)

    def act(**given):
        changes = {name: value for name, value in given.items() if name not in run_flags}
        options = {name: value for name, value in given.items() if name in run_flags}
        train_experiments([override(spec, changes)], **options)

    flags = run_flags | _list_setting_flags(spec)
    return command(act, doc=f"{spec.id}: {spec.summary}.", flags=flags)


def _list_setting_flags(spec, prefix=""):
    flags, values = {}, settings(spec)
    for field in setting_fields(type(spec)):
        meaning = f"{field.metadata['text']} ({describe(field)})"
        flags[prefix + field.name] = (values[field.name], meaning)
    if spec.is_classifier:
        flags |= _list_setting_flags(spec.autoencoder, "autoencoder_")
    return flags
