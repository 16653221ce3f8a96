"""One Keras step written down as ATen operations, and what the writing took for granted."""

import contextlib
from collections.abc import Callable, Iterable
from typing import Any

import keras
import torch
from keras.src.models.functional import Functional  # not public; `keras.Model(x, y)` is one
from torch.fx.experimental.proxy_tensor import make_fx
from torch.fx.experimental.symbolic_shapes import GuardOnDataDependentSymNode

from keras_fmnist.fast_fit import (
    crops,
    norms,
    random_draws,
    rewrite,
    runnable,
    scalars,
    surroundings,
)
from keras_fmnist.fast_fit.errors import UntraceableError
from keras_fmnist.fast_fit.premises import Settings, optimizers
from keras_fmnist.fast_fit.python_draws import Draws
from keras_fmnist.fast_fit.stateless_step import StatelessStep, Variables
from keras_fmnist.fast_fit.verification import Fingerprint

Structure = Any  # of tensors: one, or dicts, lists and tuples of them, as `keras.tree` takes it

_DRAWS = "its Python draws random numbers, which a replay would repeat"


class Replay:
    """A traced step over the memory of a model's variables.

    Args:
        run: what `runnable.make_runnable` gave.
        variables: those whose memory it updates, in the order of its first arguments.
        settings: what the trace took for granted.
        step: the step that was traced.
        fingerprint: how it is verified.
        batch: one that it was traced for.
    """

    def __init__(
        self,
        run: Callable[..., list[torch.Tensor]],
        variables: Variables,
        settings: Settings,
        step: StatelessStep,
        fingerprint: Fingerprint,
        batch: tuple,
    ) -> None:
        self._run = run
        self.parameters = [v._value for v in variables]
        self._addresses = [p.data_ptr() for p in self.parameters]
        self._requires_grad = [p.requires_grad for p in self.parameters]
        self._settings = settings
        self._state = [p.detach() for p in self.parameters]
        self._random_states = random_draws.states_among(variables)
        self._random_versions = self._read_random_versions()
        self._structure = step.structure
        self._logs = len(keras.tree.flatten(step.structure))
        self._losses = step.losses
        self._with_gradients = [self.parameters[i] for i in step.with_gradients]
        self._fingerprint = fingerprint
        # The first time things are made that are there from then on: a generator of Keras, say.
        fingerprint.take(batch)
        self._expected = fingerprint.take(batch)

    def is_stale(self) -> bool:
        """Whether something changed that the trace took for granted; below a tenth of a ms."""
        return (
            [p.data_ptr() for p in self.parameters] != self._addresses
            or [p.requires_grad for p in self.parameters] != self._requires_grad
            or self._read_random_versions() != self._random_versions
            or self._settings.have_changed()
        )

    def _read_random_versions(self):
        return [state._version for state in self._random_states]

    def changes(self) -> list[str]:
        """The names of settings that have changed since the trace."""
        return self._settings.changes()

    def is_verified(self, batch: tuple) -> bool:
        """Whether Keras's own step still does what was traced; costs a step of two examples."""
        return self._fingerprint.take(batch) == self._expected

    def reason_for_stock(self) -> str | None:
        """See `surroundings.reason_for_stock`."""
        return surroundings.reason_for_stock(self.parameters)

    def __call__(self, leaves: Iterable[torch.Tensor | None]) -> Structure:
        """Take the step: the batch's flat tensors (None among them) in, Keras's logs out."""
        for parameter in self._with_gradients:
            parameter.grad = None
        with torch.no_grad():
            outputs = self._run(*self._state, *(leaf for leaf in leaves if leaf is not None))
        end = self._logs
        for layer, count in self._losses:
            layer._losses[:] = outputs[end : end + count]
            end += count
        for parameter, gradient in zip(self._with_gradients, outputs[end:], strict=True):
            parameter.grad = gradient
        return keras.tree.pack_sequence_as(self._structure, outputs[: self._logs])


def _variables(model):
    """Every variable of model, metrics and optimizer, once each."""
    found = list(model.variables)
    if model.compiled:
        found += model.metrics_variables
        found += model.optimizer.variables if model.optimizer is not None else []
    return list({id(v): v for v in found}.values())


def trace(model: keras.Model, kind: str, batch: tuple, exact: bool, inductor: bool) -> Replay:
    """Write one step down and make it runnable; the model, its state and the generators stay.

    Args:
        model: a built `keras.Model`, compiled unless `kind` is "predict".
        kind: "train", "test" or "predict".
        batch: what the step takes: a tuple of tensors, None, or structures of them.
        exact: see `fast_fit.accelerate`.
        inductor: whether inductor compiles the step.

    Returns:
        A `Replay`.

    Raises:
        UntraceableError: if a replay would differ from Keras's own step.
    """
    _check_traceable(model, kind)
    variables = _variables(model)
    module, step, settings, may_have_drawn = _write_down(model, kind, batch, variables, exact)
    if step.others:
        # Held by a loss, a schedule, a closure: part of the state like any other.
        variables += step.others
        module, step, settings, may_have_drawn = _write_down(model, kind, batch, variables, exact)
    if step.others:
        raise UntraceableError("it reads other variables at every call")
    _check_graph(module.graph)
    fingerprint = Fingerprint(model, kind, variables)
    leaves = _leaves(batch)
    # Of a CUDA graph's results the gradients alone may be overwritten by the next step's.
    fresh = len(keras.tree.flatten(step.structure)) + sum(count for _, count in step.losses)
    run = runnable.make_runnable(
        module, [v._value.detach() for v in variables], leaves, exact, inductor, fresh
    )
    replay = Replay(run, variables, settings, step, fingerprint, batch)
    if fingerprint.draws_backward:
        raise UntraceableError("what it computes once more in the backward pass draws a mask")
    if not replay.is_verified(batch):
        reason = _DRAWS if may_have_drawn else "its Python does something else at every call"
        raise UntraceableError(reason)
    return replay


def _leaves(batch):
    # Each its own object: where input and target are one tensor, the next target may be another.
    return [leaf.detach() for leaf in keras.tree.flatten(batch) if leaf is not None]


def _write_down(model, kind, batch, variables, exact):
    settings = Settings(model, variables)
    draws = Draws(settings.generators)
    step = StatelessStep(model, kind, batch, variables)
    # Fake tensors have no values: nothing is computed, no mask is drawn, and a number that Python
    # or numpy would read from a tensor is an error here and not a constant for ever.
    write_down = make_fx(step, tracing_mode="fake", _allow_non_fake_inputs=True)
    try:
        with (
            scalars.scalars_kept_as_tensors(),
            random_draws.drawn_by_torch(exact),
            crops.by_index(model),
            contextlib.nullcontext() if exact else norms.fused(model),
        ):
            module = write_down(*(v._value.detach() for v in variables), *_leaves(batch))
            random_draws.place_draws(module)
    except GuardOnDataDependentSymNode as error:
        raise UntraceableError("its Python depends on a value that a step computes") from error
    finally:
        changed = settings.restore()
        has_drawn, may_have_drawn = draws.have_happened(), draws.may_have_happened()
        if has_drawn:
            draws.restore()
    if has_drawn:
        raise UntraceableError(_DRAWS)
    if changed:
        raise UntraceableError(f"a call changes {', '.join(changed)}, which a replay would not")
    return module, step, settings, may_have_drawn


def _check_traceable(model, kind):
    if (
        not isinstance(model, (Functional, keras.Sequential))
        or type(model).call not in (Functional.call, keras.Sequential.call)
        or "call" in vars(model)
    ):
        raise UntraceableError("it is not functional: its Python may differ from call to call")
    method = f"{kind}_step"
    if getattr(type(model), method) is not getattr(keras.Model, method) or method in vars(model):
        raise UntraceableError(f"it has a {method} of its own")
    if model.compiled and (model.run_eagerly or model.jit_compile):
        raise UntraceableError("it is compiled with run_eagerly or jit_compile")
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.TorchModuleWrapper):
            raise UntraceableError(f"layer {layer.name} keeps state outside Keras variables")
    if kind == "train":
        _check_optimizers(model)


def _check_optimizers(model):
    known = (keras.Variable, keras.optimizers.schedules.LearningRateSchedule)
    for optimizer in optimizers(model):
        if not isinstance(optimizer._learning_rate, known):
            raise UntraceableError("the learning rate is a Python function")


def _check_graph(graph):
    roots = rewrite.storage_roots(graph)
    for node in graph.nodes:
        if node.kwargs.get("generator") is not None:
            raise UntraceableError("it draws from a generator of its own (a seeded random layer)")
    if any(root.op == "get_attr" for root in rewrite.written_roots(graph, roots)):
        raise UntraceableError("it writes a tensor that is no Keras variable")
