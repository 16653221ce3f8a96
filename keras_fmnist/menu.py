"""What there is to type: every command, its flags and what they mean."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from keras_fmnist import commands, live_command, publish, queries, results, rulers, uses
from keras_fmnist.cli import REQUIRED, VARIADIC, Choice, command
from keras_fmnist.settings import describe, setting_fields
from keras_fmnist.specs import AutoencoderSpec, ClassifierSpec, override, settings

if TYPE_CHECKING:
    from keras_fmnist.catalogue import Catalogue

RUN_FLAGS = {
    "seed": (0, "initial weights, order and dropout follow from it"),
    "device": ("auto", "cpu, gpu, or auto: a GPU where there is one"),
    "out": (results.RUNS, "folder for records, weights and figures"),
    "examples": (None, "train on the first so many images only, for a quick look"),
    "force": (False, "train again what is there, and replace it"),
    "track": (None, "mlflow or tensorboard: follow the training there, in files below `out`"),
    "resume": (False, "go on where it was interrupted"),
    "checkpoint_every": (None, "save after each so many steps too, not at an epoch's end alone"),
    "deterministic": (False, "on a GPU, kernels that give the same bits every time; slower"),
}


def experiments(
    specs: Sequence[AutoencoderSpec | ClassifierSpec],
) -> dict[str, Callable[..., Choice]]:
    """The commands of one report: each of its experiments, and `all` of them in order."""
    component = {spec.name: _experiment_command(spec) for spec in specs}
    component["all"] = _all_command(specs)
    return component


def tool(catalogue: "Catalogue") -> dict:
    """The commands of `keras-fmnist`: what works on every report, and each report's experiments.

    Args:
        catalogue: a `Catalogue`.
    """
    specs = catalogue.specs
    out = {"out": (results.STUDY, "folder of the records")}
    return {
        "list": command(
            lambda **given: queries.list_experiments(specs, **given),
            "Every experiment, and how many seeds of it have been run.",
            **out,
        ),
        "data": command(
            commands.prepare_data,
            "Prepares Fashion-MNIST, verifies it and says what it holds.",
            force=(False, "prepare it again although it is in order"),
        ),
        "assumptions": command(
            lambda **given: queries.rank_assumptions(catalogue, **given),
            "Ranks the readings of what a report leaves open by how near they come to its numbers.",
            **out,
        ),
        "report": command(
            lambda **given: publish.write_report(catalogue, **given),
            "Renews figures, page and README.md from the records.",
            check=(False, "write nothing, and fail where one of them is not what the records give"),
            **out,
        ),
        "claims": command(
            lambda **given: queries.judge_claims(catalogue, **given),
            "What each report claims, what the records say, and whether that is the same.",
            json=(None, "write it all to this file"),
            **out,
        ),
        "study": command(
            lambda **given: commands.run_study([*specs, *catalogue.readings], **given),
            "Runs what is missing of every experiment that matches, over several seeds.",
            globs=(VARIADIC, "such as mansilla/* or */classifier_*; all where none is given"),
            seeds=(5, "from 0 on"),
            jobs=(None, "runs side by side; one a processor, on a GPU one, on a cluster its room"),
            device=("auto", "cpu, gpu, or auto: a GPU where there is one"),
            engine=("local", "local: processes of this machine; ray: a cluster of machines"),
            address=(None, "of the Ray cluster, auto or host:port; else Ray starts here alone"),
            **out,
        ),
        "inspect": command(
            lambda **given: queries.inspect(specs, **given),
            "Prints a net layer by layer, its dead units, and what to be warned of.",
            experiment=(REQUIRED, "such as mansilla/base"),
            seed=(0, "of the run whose weights are taken, or else of fresh ones"),
            **out,
        ),
        "compare": command(
            lambda **given: rulers.compare(specs, **given),
            "Holds an experiment to native PyTorch, layer by layer and trained side by side.",
            experiment=(REQUIRED, "such as mansilla/base"),
            seeds=(5, "trainings a side"),
            epochs=(3, "passes over the training images"),
            examples=(6000, "so many training images"),
            json=(None, "write it all to this file"),
        ),
        "convert": command(
            lambda **given: rulers.convert(specs, **given),
            "Turns a file of weights into another format, PyTorch's too (a trained run: export).",
            source=(REQUIRED, "a .pt, .pth or .safetensors file"),
            target=(REQUIRED, "the file to write: .safetensors, .pt (a state_dict) or .keras"),
            experiment=(REQUIRED, "whose net it is, such as mansilla/base"),
        ),
        "export": command(
            lambda **given: uses.export(specs, **given),
            "Writes the net of a trained run for use elsewhere (a file of weights: convert).",
            experiment=(REQUIRED, "such as mansilla/classifier_full"),
            format=(None, "keras or onnx, the net; or safetensors, its weights alone"),
            target=(None, "the file to write; else the experiment's name in this folder"),
            seed=(0, "of the run"),
            **out,
        ),
        "predict": command(
            lambda **given: uses.predict(specs, catalogue.classifier, **given),
            "Says what is on a picture, and draws its reconstruction and what is most like it.",
            images=(VARIADIC, "files such as photo.jpg, and indices of the test set such as 17"),
            experiment=(catalogue.classifier.id, "the classifier; its autoencoder rebuilds"),
            seed=(0, "of the run"),
            picture=(uses.PICTURE, "the PNG to draw"),
            **out,
        ),
        "latent": command(
            lambda **given: uses.latent(specs, **given),
            "Maps latent spaces: PCA, t-SNE, and lines between images, drawn beside the record.",
            experiments=(VARIADIC, "such as mansilla/base; every autoencoder where none is given"),
            seed=(0, "of the run"),
            **out,
        ),
        "live": command(
            lambda **given: live_command.prepare_live(catalogue, **given),
            "Measures what the live page needs of the data set; `report` then writes that page.",
            seed=(0, "of the runs"),
            **out,
        ),
        "bench": command(
            lambda **given: rulers.bench(specs, catalogue.benched, **given),
            "Times a training step: ours, stock Keras and native PyTorch, taking turns.",
            experiments=(VARIADIC, "such as mansilla/base; four where none is given"),
            steps=(30, "steps an epoch"),
            rounds=(9, "epochs of each variant that count"),
            whole=(False, "also over batch sizes and numbers of images, and memory"),
            json=(None, "write it all to this file"),
        ),
        **{name: experiments(group) for name, group in catalogue.reports.items()},
    }


def _experiment_command(spec):
    def act(**given):
        run_flags = {name: given.pop(name) for name in RUN_FLAGS if name in given}
        commands.run_experiments([override(spec, given)], **run_flags)

    return command(act, f"{spec.id}: {spec.summary}.", **RUN_FLAGS, **_setting_flags(spec))


def _all_command(specs):
    def act(epochs=None, **given):
        commands.run_experiments([_with_epochs(spec, epochs) for spec in specs], **given)

    flags = RUN_FLAGS | {
        "seeds": (1, "run so many seeds, from `seed` on"),
        "epochs": (None, "passes over the training images, for every experiment that trains"),
    }
    return command(act, f"Every experiment of {specs[0].report}, in order.", **flags)


def _with_epochs(spec, epochs):
    if epochs is None or spec.epochs == 0:
        return spec
    changes = {"epochs": epochs}
    if isinstance(spec, ClassifierSpec):
        changes["autoencoder_epochs"] = epochs
    return override(spec, changes)


def _setting_flags(spec, prefix=""):
    flags, values = {}, settings(spec)
    for f in setting_fields(type(spec)):
        flags[prefix + f.name] = (values[f.name], f"{f.metadata['text']} ({describe(f)})")
    if isinstance(spec, ClassifierSpec):
        flags |= _setting_flags(spec.autoencoder, "autoencoder_")
    return flags
