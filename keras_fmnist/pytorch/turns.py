"""Variants that take turns across processes: one warm process each, a turn each a round.

Frameworks in one process share threads, allocators and caches; here each has its own, and while
one works the others wait. A ratio is taken within its round, so that a busy machine slows both.
"""

import contextlib
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keras_fmnist.data import Dataset
    from keras_fmnist.specs import AutoencoderSpec, ClassifierSpec

KINDS = ("steps", "runs")
# Others than ours run as their users have them: importing this package chooses how threads wait,
# and this is what libgomp does by itself.
_LIBGOMP = {"GOMP_SPINCOUNT": "300000", "OMP_WAIT_POLICY": None}


class Worker:
    """A process that holds one variant on one backend, and works when it is its turn.

    Args:
        backend: of Keras in that process.
        name: of the variant there.
        kind: "steps": a turn trains `steps` steps and tells the seconds of one; "runs": it runs
            two epochs of so many, with all that a run does, and tells a step's share of those of
            the second.
        spec: what is trained.
        dataset: on which.
        steps: of a turn.
    """

    def __init__(
        self,
        backend: str,
        name: str,
        kind: str,
        spec: "AutoencoderSpec | ClassifierSpec",
        dataset: "Dataset",
        steps: int,
    ) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        given = (theirs, name, kind, spec, dataset, steps)
        self._process = context.Process(target=_serve, args=given, daemon=True)
        with _environment({"KERAS_BACKEND": backend} | ({} if name == "ours" else _LIBGOMP)):
            self._process.start()
        theirs.close()

    def turn(self) -> float:
        """Seconds that a turn took.

        Raises:
            RuntimeError: the variant failed, or its process ended; the message says why.
        """
        try:
            self._connection.send(True)
            answer = self._connection.recv()
        except (EOFError, OSError):
            raise RuntimeError("its process ended") from None
        if isinstance(answer, str):
            raise RuntimeError(answer)
        return answer

    def close(self) -> None:
        """Ends the process."""
        self._connection.close()
        self._process.join(10)
        self._process.kill()


@contextlib.contextmanager
def _environment(variables: dict[str, str | None]) -> Iterator[None]:
    """A process that is started meanwhile finds these; None takes a variable away."""
    before = {name: os.environ.get(name) for name in variables}
    try:
        _set(variables)
        yield
    finally:
        _set(before)


def _set(variables):
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _serve(connection, name, kind, spec, dataset, steps):
    """What a worker's process does: a turn for every message, until there are no more."""
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115  # until the process ends
    run = None
    while True:
        try:
            connection.recv()
        except EOFError:
            return
        try:
            run = run or _build(name, kind, spec, dataset, steps)
            answer = run()
        except Exception as error:
            answer = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        connection.send(answer)


def _build(name, kind, spec, dataset, steps):
    from keras_fmnist.pytorch import benchmark, whole_runs

    if kind == "runs":
        epoch = whole_runs.variants(spec, dataset, steps)[name]
    else:
        epoch = benchmark.variants(spec, dataset, steps)[name]()
    return lambda: epoch() / steps


def take_turns(
    workers: dict[str, Worker],
    rounds: int,
    *,
    progress: Callable[[range], Iterable[int]] = iter,
    report: Callable[[str], None] = print,
) -> dict[str, list[float]]:
    """Seconds of each worker in each round; the first round warms up and does not count.

    A worker that fails is left out, and `report` is told.

    Returns:
        `{name: [seconds, …]}`.
    """
    waiting, seconds = dict(workers), {}
    for number in progress(range(rounds + 1)):
        for name, worker in list(waiting.items()):
            try:
                taken = worker.turn()
            except RuntimeError as error:
                del waiting[name]
                seconds.pop(name, None)
                report(f"{name} is left out: {error}")
                continue
            if number:
                seconds.setdefault(name, []).append(taken)
    return seconds


def measure(
    kind: str,
    names: dict[str, tuple[str, str]],
    spec: "AutoencoderSpec | ClassifierSpec",
    dataset: "Dataset",
    *,
    steps: int,
    rounds: int,
    **following: Callable,
) -> dict[str, list[float]]:
    """`take_turns` of workers that are started for it and ended after it.

    Args:
        kind: one of `KINDS`.
        names: `{name: (backend, variant there)}`.
        spec: what is trained.
        dataset: on which; each worker has a copy of what it needs.
        steps: of a turn.
        rounds: that count.
        following: `progress` and `report` of `take_turns`.
    """
    workers = {}
    try:
        for name, (backend, variant) in names.items():
            workers[name] = Worker(backend, variant, kind, spec, dataset, steps)
        return take_turns(workers, rounds, **following)
    finally:
        for worker in workers.values():
            worker.close()


def rivals(installed: Iterable[str]) -> list[str]:
    """The other backends that stock Keras is measured on beside ours: on torch, without a GPU."""
    import keras
    import torch

    if keras.backend.backend() != "torch" or torch.cuda.is_available():
        return []
    return [name for name in installed if name != "torch"]


def kernels() -> dict[str, str | int]:
    """Which kernels torch takes on this processor, such as AVX512, and with how many threads."""
    import torch

    return {
        "kernels": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
    }


def processes(
    spec: "AutoencoderSpec | ClassifierSpec",
    dataset: "Dataset",
    backends: Iterable[str] = (),
    kind: str = "steps",
) -> dict[str, tuple[str, str]]:
    """`{name: (backend, variant there)}` of all that is measured: "steps" or "runs".

    Beside what runs on this backend, stock Keras on each of `backends`, named after it.
    """
    import keras

    from keras_fmnist.pytorch import benchmark, whole_runs

    here = keras.backend.backend()
    found = benchmark.variants if kind == "steps" else whole_runs.variants
    return {name: (here, name) for name in found(spec, dataset, 1)} | {
        name: (name, "stock") for name in backends
    }
