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
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass

import fire
from fire.decorators import SetParseFn
from fire.parser import DefaultParseValue

from keras_fmnist.cli.output import make_printable
from keras_fmnist.records import provenance
from keras_fmnist.settings import SpecError, suggest
from keras_fmnist.training.interrupts import heed_sigterm

REQUIRED = inspect.Parameter.empty
VARIADIC = object()
LONGEST_LINE = 1000  # characters of an error


@dataclass(frozen=True)
class Choice:
    """What the user asked for: a function, its first arguments, and the flags that were given."""

    action: Callable
    first: tuple
    given: inspect.BoundArguments

    def run(self) -> None:
        """Calls the function."""
        self.action(*self.first, *self.given.args, **self.given.kwargs)

    def __dir__(self) -> list[str]:
        """Nothing: Fire would take a stray word such as `action` for an attribute, and call it."""
        return []


def main(component: dict, name: str, argv: list[str] | None = None) -> int:
    """Lets Fire choose from `component`, then runs the choice.

    Args:
        component: a dict of functions that return a `Choice`, or of such dicts.
        name: what the user typed before the arguments, for help and errors.
        argv: the arguments; those of the process where None.

    Returns:
        The exit status.
    """
    argv = sys.argv[1:] if argv is None else argv
    _open_outputs()
    _limit_threads()
    heed_sigterm()
    try:
        choice = _choose(component, name, argv)
        if choice is not None:
            choice.run()
        sys.stdout.flush()  # here, where a reader that went away is noticed
    except SpecError as error:
        return _fail(name, error, 2)
    except KeyboardInterrupt as interrupt:
        return _fail(name, str(interrupt) or "interrupted", 130)
    except BrokenPipeError:
        # The reader went away, as `| head` does; Python must not complain at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (OSError, ValueError, RuntimeError, MemoryError) as error:
        if os.environ.get("KERAS_FMNIST_TRACEBACK"):
            raise
        return _fail(name, error, 1)
    return 0


def _open_outputs():
    """Has what is printed cost no result: a stream may be closed, or may not know every letter."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed, as by >&-; the next file that is opened would take its place
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace" if name == "stdout" else "backslashreplace")


def _limit_threads():
    """Has the frameworks take no more threads than this process may use processors.

    They go by what the machine has, and do not see a container's quota.
    """
    usable = provenance.usable_cores()
    if usable < (os.cpu_count() or 1):
        os.environ.setdefault("OMP_NUM_THREADS", str(usable))


def command(
    action: Callable[..., None],
    *first: object,
    doc: str | None = None,
    flags: dict[str, tuple[object, str]] | None = None,
    **defaults: object,
) -> Callable[..., Choice]:
    """A function for Fire that chooses `action`.

    The flags are read off the signature of `action`: each parameter is written
    `name: Annotated[type, "meaning"]`, with its default. Without a default it is required and may
    stand without its name; `*words` takes any number of words.

    Args:
        action: what runs once Fire knows that every flag exists.
        first: values for the first parameters of `action`, which are no flags.
        doc: one line for the help; the first line of the docstring of `action` where None.
        flags: further flags, `{name: (default, meaning)}`, after those of the signature.
        defaults: other defaults than the signature's.
    """
    found = read_flags(action, skip=len(first)) | (flags or {})
    found |= {name: (value, found[name][1]) for name, value in defaults.items()}
    signature = inspect.Signature(
        [_parameter(flag, default) for flag, (default, _) in found.items()]
    )

    def choose(*words, **given):
        return Choice(action, first, signature.bind(*words, **given))

    described = "\n".join(f"    {flag}: {text}" for flag, (_, text) in found.items())
    doc = doc or action.__doc__.splitlines()[0]
    choose.__doc__ = f"{doc}\n\nArgs:\n{described}" if found else doc
    choose.__signature__ = signature
    return SetParseFn(_parse)(choose)


def read_flags(action: Callable[..., None], skip: int = 0) -> dict[str, tuple[object, str]]:
    """The flags that a function takes, `{name: (default, meaning)}`, in their order.

    Args:
        action: its parameters are annotated as `Annotated[type, "meaning"]`.
        skip: so many parameters at the beginning are no flags.
    """
    found = {}
    for parameter in list(inspect.signature(action).parameters.values())[skip:]:
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD:
            variadic = parameter.kind is inspect.Parameter.VAR_POSITIONAL
            default = VARIADIC if variadic else parameter.default
            found[parameter.name] = (default, parameter.annotation.__metadata__[0])
    return found


def _parameter(name, default):
    if default is VARIADIC:
        return inspect.Parameter(name, inspect.Parameter.VAR_POSITIONAL)
    if default is REQUIRED:
        return inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    # Keyword-only, or Fire would take a stray word for the first flag's value.
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default)


def _parse(text):
    """A value as Fire reads it: a number, a list, a word, but for what Fire gets wrong."""
    # Fire reads Python, for which # begins a comment and full-width letters are plain ones.
    if "#" in text or not text.isascii():
        return text
    try:
        return DefaultParseValue(text)
    except (RecursionError, MemoryError):  # ((((…
        return text


def _choose(component, name, argv):
    """What Fire makes of the arguments; None where help was asked for and shown.

    Raises:
        SpecError: an unknown command or flag, a flag given twice, or a stray word.
    """
    for word in argv:
        if word in ("-", "--"):  # Fire's separators: behind -- it opens a Python shell
            raise SpecError(f"{word} is no word here: a flag is written --name value")
    words, reached = [], component
    for word in argv:
        if not isinstance(reached, dict) or word.startswith("-"):
            break
        if word not in reached:  # Fire would take `copy` for the dict's method
            raise SpecError(f"{shlex.quote(word)} is no command{suggest(word, reached)}")
        words.append(word)
        reached = reached[word]
    asks_help = {"-h", "--help"} & set(argv)
    if isinstance(reached, dict) and argv != words and not asks_help:
        raise SpecError(f"{argv[len(words)]} is no command{suggest(argv[len(words)], reached)}")
    if isinstance(reached, dict) or asks_help:
        argv = [*words, "--help"]  # else Fire calls first, and explains what came back
    else:
        _check_once(argv[len(words) :], inspect.signature(reached).parameters)
    screen = io.StringIO()
    try:
        with contextlib.redirect_stderr(screen), contextlib.redirect_stdout(screen):
            chosen = fire.Fire(component, command=argv, name=name, serialize=lambda _: None)
    except fire.core.FireExit as stop:
        if stop.code:
            raise SpecError(_complaint(stop, reached)) from None
        print(_tidy(screen.getvalue()))
        return None
    if isinstance(chosen, Choice):
        return chosen
    raise SpecError(f"{' '.join(argv)}: there is a word too many")


def _check_once(words, flags):
    """Refuses a flag that stands twice, of which Fire would take the last."""
    given = set()
    for word in words:
        if not re.match(r"--?[a-zA-Z]", word):
            continue
        flag = word.lstrip("-").split("=")[0].replace("-", "_")
        if len(flag) == 1:  # Fire takes -m for the one flag that begins with m
            flag = next((name for name in flags if name.startswith(flag)), flag)
        elif flag not in flags:
            flag = flag.removeprefix("no")
        if flag in given:
            raise SpecError(f"{flag} is given twice")
        given.add(flag)


def _complaint(stop, function):
    """One sentence out of Fire's page of usage."""
    said = stop.trace.elements[-1].ErrorAsStr()
    if match := re.search(r"no value for the required argument: (\w+)", said):
        return f"{match.group(1)} is missing: --help says what it is"
    match = re.search(r"(?:arg|key): *(.*)", said)
    if not match:
        return said
    word = match.group(1)
    if word.startswith("-"):
        flag = word.lstrip("-").split("=")[0]
        return f"{word} is no flag{suggest(flag, inspect.signature(function).parameters)}"
    return f"{shlex.quote(word)} is a word too many: a flag is written --name value"


def _tidy(text):
    """Fire's help without what it says of itself."""
    text = re.sub(r"^INFO: Showing help.*\n+", "", text)
    # The mark that SetParseFn leaves on a function is no group of commands.
    text = re.sub(r"\n\nGROUPS\n +GROUP is one of the following:\n\n +FIRE_METADATA", "", text)
    text = re.sub(r" GROUP \| (?!COMMAND)", " ", text).replace(" GROUP\n", "\n")
    # One letter means another flag from experiment to experiment, and -h is help.
    text = re.sub(r"^( +)-\w, --", r"\1--", text, flags=re.MULTILINE)
    return text.replace("        Type: Optional[]\n", "").rstrip()


def _fail(name, error, status):
    text = " ".join(str(error).split()) or type(error).__name__
    if len(text) > LONGEST_LINE:
        text = f"{text[: LONGEST_LINE // 2]} … {text[-LONGEST_LINE // 2 :]}"
    print(f"{name}: {make_printable(text)}", file=sys.stderr)
    return status
