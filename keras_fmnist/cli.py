"""The command line: Fire chooses, and only then something runs.

Fire would run a function first and complain about a mistyped flag afterwards (python-fire issue
168). Here every function that Fire sees returns a `Choice` and does nothing else.

Exit status: 0 done, 1 failed while running, 2 the request is wrong, 130 interrupted.
"""

import contextlib
import inspect
import io
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

import fire

from keras_fmnist import commands, results
from keras_fmnist.settings import SpecError, describe, setting_fields, suggest
from keras_fmnist.specs import ClassifierSpec, override, settings

REQUIRED = inspect.Parameter.empty
VARIADIC = object()

RUN_FLAGS = {
    "seed": (0, "initial weights, order and dropout follow from it"),
    "device": ("auto", "cpu, gpu, or auto: a GPU where there is one"),
    "out": ("runs", "folder for records, weights and figures"),
    "examples": (None, "train on the first so many images only, for a quick look"),
    "force": (False, "train again what is there, and replace it"),
}


@dataclass(frozen=True)
class Choice:
    """What the user asked for: a function and its arguments."""

    action: Callable
    arguments: dict = field(default_factory=dict)

    def __dir__(self):
        """Nothing: Fire would take a stray word such as `action` for an attribute, and call it."""
        return []


def main(component, name, argv=None):
    """Lets Fire choose from `component`, then runs the choice.

    Args:
        component: a dict of functions that return a `Choice`, or of such dicts.
        name: what the user typed before the arguments, for help and errors.
        argv: the arguments; those of the process where None.

    Returns:
        The exit status.
    """
    argv = sys.argv[1:] if argv is None else argv
    try:
        choice = _choose(component, name, argv)
        if choice is None:
            return 0
        choice.action(**choice.arguments)
    except SpecError as error:
        return _fail(name, error, 2)
    except KeyboardInterrupt:
        return _fail(name, "interrupted", 130)
    except BrokenPipeError:
        # The reader went away, as `| head` does; Python must not complain at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (OSError, ValueError, RuntimeError) as error:
        if os.environ.get("KERAS_FMNIST_TRACEBACK"):
            raise
        return _fail(name, error, 1)
    return 0


def experiments(specs):
    """The commands of one report: each of its experiments, and `all` of them in order."""
    component = {spec.name: _experiment_command(spec) for spec in specs}
    component["all"] = _all_command(specs)
    return component


def tool(reports):
    """The commands of `keras-fmnist`: what works on every report, and each report's experiments.

    Args:
        reports: `{name: specs}`.
    """
    specs = [spec for report in reports.values() for spec in report]
    out = {"out": (results.STUDY, "folder of the records")}
    return {
        "list": command(
            lambda **given: commands.list_experiments(specs, **given),
            "Every experiment, and how many seeds of it have been run.",
            **out,
        ),
        "data": command(
            commands.prepare_data,
            "Prepares Fashion-MNIST, verifies it and says what it holds.",
            force=(False, "prepare it again although it is in order"),
        ),
        "report": command(
            lambda **given: commands.write_report(specs, **given),
            "Draws figures and tables from the records.",
            **out,
        ),
        "study": command(
            lambda **given: commands.run_study(specs, **given),
            "Runs what is missing of every experiment that matches, over several seeds.",
            globs=(VARIADIC, "such as mansilla/* or */classifier_*; all where none is given"),
            seeds=(5, "from 0 on"),
            jobs=(None, "runs side by side; the processors on a CPU, one on a GPU"),
            device=("auto", "cpu, gpu, or auto: a GPU where there is one"),
            **out,
        ),
        "compare": command(
            lambda **given: commands.compare(specs, **given),
            "Holds an experiment to native PyTorch, layer by layer and trained side by side.",
            experiment=(REQUIRED, "such as mansilla/base"),
            seeds=(5, "trainings a side"),
            epochs=(3, "passes over the training images"),
            examples=(6000, "so many training images"),
            json=(None, "write it all to this file"),
        ),
        "convert": command(
            lambda **given: commands.convert(specs, **given),
            "Turns weights into another format: .pt (PyTorch's state_dict), .safetensors, .keras.",
            source=(REQUIRED, "a .pt, .pth or .safetensors file"),
            target=(REQUIRED, "the file to write; its ending is its format"),
            experiment=(REQUIRED, "whose net it is, such as mansilla/base"),
        ),
        **{name: experiments(group) for name, group in reports.items()},
    }


def command(action, doc, **flags):
    """A function for Fire that chooses `action`.

    Args:
        action: what runs once every argument is known to be right; it takes the given flags.
        doc: one line for the help.
        flags: `name=(default, meaning)`; a `REQUIRED` one may stand without
            its name, a `VARIADIC` one takes any number of words.
    """
    signature = inspect.Signature(
        [_parameter(flag, default) for flag, (default, _) in flags.items()]
    )

    def choose(*words, **given):
        return Choice(action, signature.bind(*words, **given).arguments)

    described = "\n".join(f"    {flag}: {text}" for flag, (_, text) in flags.items())
    choose.__doc__ = f"{doc}\n\nArgs:\n{described}" if flags else doc
    choose.__signature__ = signature
    return choose


def _parameter(name, default):
    if default is VARIADIC:
        return inspect.Parameter(name, inspect.Parameter.VAR_POSITIONAL)
    if default is REQUIRED:
        return inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    # Keyword-only, or Fire would take a stray word for the first flag's value.
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default)


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
        unit = f", {f.metadata['unit']}" if f.metadata["unit"] else ""
        flags[prefix + f.name] = (
            values[f.name],
            f"{f.metadata['text']}{unit} ({describe(f)})",
        )
    if isinstance(spec, ClassifierSpec):
        flags |= _setting_flags(spec.autoencoder, "autoencoder_")
    return flags


def _choose(component, name, argv):
    """What Fire makes of the arguments; None where help was asked for and shown.

    Raises:
        SpecError: an unknown command or flag, or a stray word.
    """
    screen = io.StringIO()
    try:
        with contextlib.redirect_stderr(screen), contextlib.redirect_stdout(screen):
            chosen = fire.Fire(component, command=argv, name=name, serialize=lambda _: None)
    except fire.core.FireExit as stop:
        if stop.code:
            raise SpecError(_complaint(stop, component, argv)) from None
        print(_without_hint(screen.getvalue()))
        return None
    if isinstance(chosen, Choice):
        return chosen
    if isinstance(chosen, dict):  # the words end at a group: show what it holds
        return _choose(chosen, " ".join([name, *argv]), ["--help"])
    raise SpecError(f"{' '.join(argv)}: there is a word too many")


def _complaint(stop, component, argv):
    """One sentence out of Fire's page of usage."""
    said = stop.trace.elements[-1].ErrorAsStr()
    match = re.search(r"(?:arg|key):\s*(\S+)", said)
    if not match:
        return said
    word = match.group(1)
    reached, flags = component, {}
    for part in argv:
        if isinstance(reached, dict) and part in reached:
            reached = reached[part]
    if isinstance(reached, dict):
        return f"{word} is no command{suggest(word, reached)}"
    flags = inspect.signature(reached).parameters
    if word.startswith("-"):
        flag = word.lstrip("-").split("=")[0]
        return f"{word} is no flag{suggest(flag, flags)}"
    return f"{word} is a word too many: a flag is written --name value"


def _without_hint(text):
    return re.sub(r"^INFO: Showing help.*\n+", "", text).rstrip()


def _fail(name, error, status):
    print(f"{name}: {' '.join(str(error).split())}", file=sys.stderr)
    return status
