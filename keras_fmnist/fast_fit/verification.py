"""What a step does, in short: to tell later whether it would do the same if traced again."""

import functools
import zlib
from collections.abc import Callable, Iterable
from typing import Any

import keras
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from keras_fmnist.fast_fit.stateless_step import StatelessStep, Variables

# As few as a batch may have: the operations and their numbers are those of any batch.
_EXAMPLES = 2


class Fingerprint:
    """Takes Keras's own step on copies of the state and writes down what it computes.

    Nothing of the model is changed, and torch's global generator is not drawn from. Two examples
    of the batch will do, unless the model insists on its whole size.

    Args:
        model: the model.
        kind: "train", "test" or "predict".
        variables: those that the step reads.

    Attributes:
        draws_backward: whether the backward pass draws random numbers: it repeats a part of the
            forward pass, which Keras does with the generator rewound.
    """

    def __init__(self, model: keras.Model, kind: str, variables: Variables) -> None:
        self._model, self._kind, self._variables = model, kind, variables
        self._takes_few = True
        self.draws_backward = False

    def take(self, batch: tuple) -> list[tuple]:
        """The operations of a step on (some examples of) a batch, with all numbers in them."""
        if self._takes_few:
            try:
                return self._record(keras.tree.map_structure(_first_examples, batch))
            except Exception:
                self._takes_few = False
        return self._record(batch)

    def _record(self, batch):
        state = [v._value.detach().clone() for v in self._variables]
        # Copies too: some of Keras's layers write into their input.
        leaves = [leaf.detach().clone() for leaf in keras.tree.flatten(batch) if leaf is not None]
        step = StatelessStep(self._model, self._kind, batch, self._variables)
        recorder = _Recorder([*state, *leaves])
        with recorder:
            results = step(*state, *leaves)
        recorder.add_results(results)
        self.draws_backward = recorder.draws_backward
        return recorder.operations


def _first_examples(leaf):
    return leaf if leaf is None or leaf.ndim == 0 else leaf[:_EXAMPLES]


class _Recorder(TorchDispatchMode):
    """Notes each operation: its name, its numbers, and where its tensors come from."""

    def __init__(self, inputs):
        super().__init__()
        self.operations = []
        # What is alive keeps its memory, so that an address stands for one tensor.
        self._alive = list(inputs)
        self._origins = {t.data_ptr(): ("input", i) for i, t in enumerate(inputs)}
        self._generators = {}
        # Numbers that Python has read from tensors of the step: for the operation that follows,
        # and fractions, which are hardly anything else's, for good.
        self._just_read, self._read = set(), set()
        self.draws_backward = False

    def __torch_dispatch__(
        self, func: Callable, types: Iterable[type], args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        kwargs = kwargs or {}
        self.operations.append((func, *map(self._describe, (*args, *kwargs.values()))))
        if _is_random(func):
            self.draws_backward |= torch._C._current_autograd_node() is not None
            outputs = self._draw(func, args, kwargs)
        else:
            outputs = func(*args, **kwargs)
        if func is torch.ops.aten._local_scalar_dense.default:
            self._just_read.add(outputs)
            if isinstance(outputs, float) and not outputs.is_integer():
                self._read.add(outputs)
        else:
            self._just_read.clear()
        position = len(self.operations)
        for output in outputs if isinstance(outputs, (list, tuple)) else (outputs,):
            if isinstance(output, torch.Tensor):
                self._alive.append(output)
                self._origins.setdefault(output.data_ptr(), ("result", position))
        return outputs

    def add_results(self, results):
        self.operations.append(("results", *map(self._describe, results)))

    def _describe(self, value):
        if isinstance(value, torch.Tensor):
            origin = self._origins.get(value.data_ptr()) or self._note_constant(value)
            return origin, value.shape, value.stride()
        if isinstance(value, (list, tuple)):
            return tuple(map(self._describe, value))
        if isinstance(value, torch.Generator):
            return "generator"
        if isinstance(value, (int, float)) and (value in self._just_read or value in self._read):
            return "read from a tensor"
        return repr(value) if isinstance(value, (float, complex)) else value

    def _note_constant(self, tensor):
        """What is neither computed nor handed in is known by its content."""
        self._alive.append(tensor)
        content = tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy()
        origin = self._origins[tensor.data_ptr()] = ("constant", tensor.dtype, zlib.crc32(content))
        return origin

    def _draw(self, func, args, kwargs):
        """Run a random operation without drawing from the generator that the training uses."""
        device = kwargs.get("device") or next(
            (a.device for a in args if isinstance(a, torch.Tensor)), "cpu"
        )
        if device not in self._generators:
            self._generators[device] = torch.Generator(device)
        own = self._generators[device]
        overloads = [func, *(getattr(func.overloadpacket, n) for n in _with_generator(func))]
        for overload in overloads:
            if any(a.name == "generator" for a in overload._schema.arguments):
                try:
                    return overload(*args, **{**kwargs, "generator": own})
                except (RuntimeError, TypeError):
                    continue
        with torch.random.fork_rng():
            return func(*args, **kwargs)


@functools.cache
def _is_random(func):
    return torch.Tag.nondeterministic_seeded in func.tags


def _with_generator(func):
    return [name for name in func.overloadpacket.overloads() if "generator" in name]
