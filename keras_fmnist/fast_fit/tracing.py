"""One Keras step written down as ATen operations, and what the writing took for granted."""

import contextlib
from collections.abc import Callable, Iterable
from typing import Any

import keras
import torch
from keras.src.models.functional import Functional  # not public; `keras.Model(x, y)` is one
from torch.fx.experimental.proxy_tensor import make_fx
from torch.fx.experimental.symbolic_shapes import GuardOnDataDependentSymNode

from keras_fmnist.fast_fit import norms, rewrite, runnable, scalars
from keras_fmnist.fast_fit.premises import PythonDraws, Settings, optimizers

Structure = Any  # of tensors: one, or dicts, lists and tuples of them, as `keras.tree` takes it


class UntraceableError(Exception):
    """A step can not be replayed faithfully; the message is the reason."""


class Replay:
    """A traced step over the memory of a model's variables."""

    def __init__(
        self,
        run: Callable[..., list[torch.Tensor]],
        parameters: list[torch.Tensor],
        settings: Settings,
        structure: Structure,
    ) -> None:
        self._run = run
        self._parameters = parameters
        self._addresses = [p.data_ptr() for p in parameters]
        self._requires_grad = [p.requires_grad for p in parameters]
        self._settings = settings
        self._state = [p.detach() for p in parameters]
        self._structure = structure

    def is_stale(self) -> bool:
        """Whether something changed that the trace took for granted; a few hundredths of a ms."""
        return (
            [p.data_ptr() for p in self._parameters] != self._addresses
            or [p.requires_grad for p in self._parameters] != self._requires_grad
            or self._settings.have_changed()
        )

    def __call__(self, leaves: Iterable[torch.Tensor | None]) -> Structure:
        """Take the step: the batch's flat tensors (None among them) in, Keras's logs out."""
        with torch.no_grad():
            outputs = self._run(*self._state, *(leaf for leaf in leaves if leaf is not None))
        return keras.tree.pack_sequence_as(self._structure, outputs)


def _variables(model):
    """Every variable the step may read or write, once each."""
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
    parameters = [v.value for v in variables]
    settings = Settings(model)
    draws = PythonDraws()
    # Each its own object: where input and target are one tensor, the next target may be another.
    leaves = [leaf.detach() for leaf in keras.tree.flatten(batch) if leaf is not None]
    step = _StatelessStep(model, kind, batch, variables)
    # Fake tensors have no values: nothing is computed, no mask is drawn, and a number that Python
    # or numpy would read from a tensor is an error here and not a constant for ever.
    write_down = make_fx(step, tracing_mode="fake", _allow_non_fake_inputs=True)
    try:
        with (
            scalars.scalars_kept_as_tensors(),
            contextlib.nullcontext() if exact else norms.fused(model),
        ):
            module = write_down(*(p.detach() for p in parameters), *leaves)
    except GuardOnDataDependentSymNode as error:
        raise UntraceableError("its Python depends on a value that a step computes") from error
    finally:
        changed = settings.restore()
        has_drawn = draws.restore()
    if has_drawn:
        raise UntraceableError("its Python draws random numbers, which a replay would repeat")
    if changed:
        raise UntraceableError(f"a call changes {', '.join(changed)}, which a replay would not")
    _check_graph(module.graph)
    run = runnable.make_runnable(module, [p.detach() for p in parameters], leaves, exact, inductor)
    return Replay(run, parameters, settings, step.structure)


def _check_traceable(model, kind):
    if not isinstance(model, (Functional, keras.Sequential)) or (
        type(model).call not in (Functional.call, keras.Sequential.call)
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
        if isinstance(optimizer, keras.optimizers.ScheduleFreeAdamW):
            raise UntraceableError("ScheduleFreeAdamW reads its momentum after it is overwritten")


class _StatelessStep:
    """A Keras step as a function of tensors: state and batch in, logs out, state written back."""

    def __init__(self, model, kind, batch, variables):
        self._method = getattr(model, f"{kind}_step")
        self._kind = kind
        self._batch = batch
        self._variables = variables
        self.structure = None

    def __call__(self, *tensors):
        state, leaves = tensors[: len(self._variables)], iter(tensors[len(self._variables) :])
        batch = keras.tree.map_structure(lambda t: t if t is None else next(leaves), self._batch)
        shadows = [
            tensor.detach().requires_grad_(v.value.requires_grad)
            for tensor, v in zip(state, self._variables, strict=True)
        ]
        mapping = list(zip(self._variables, shadows, strict=True))
        with (
            torch.set_grad_enabled(self._kind == "train"),
            keras.StatelessScope(mapping, collect_losses=True) as scope,
        ):
            outputs = self._method(batch)
        self._write_back(scope, state, shadows)
        # The shape of the results without the results: a tensor here would outlive the trace.
        self.structure = keras.tree.map_structure(lambda _: 0, outputs)
        return [tensor.detach() for tensor in keras.tree.flatten(outputs)]

    def _write_back(self, scope, state, shadows):
        """Copy what was assigned; what was updated in place is in `state` already."""
        if len(scope.state_mapping) > len(self._variables):
            raise UntraceableError("it updates a variable outside model, optimizer and metrics")
        memory = {_storage(t) for t in state}
        targets, values = [], []
        for variable, tensor, shadow in zip(self._variables, state, shadows, strict=True):
            value = scope.get_current_value(variable)
            if value is shadow:
                continue
            # A value that shows another variable's memory would change as that one is written.
            value = value.detach()
            values.append(value.clone() if _storage(value) in memory else value)
            targets.append(tensor)
        if targets:
            torch._foreach_copy_(targets, values)


def _storage(tensor):
    return tensor.untyped_storage()._cdata


def _check_graph(graph):
    roots = rewrite.storage_roots(graph)
    for node in graph.nodes:
        if node.kwargs.get("generator") is not None:
            raise UntraceableError("it draws from a generator of its own (a seeded random layer)")
    if any(root.op == "get_attr" for root in rewrite.written_roots(graph, roots)):
        raise UntraceableError("it writes a tensor that is no Keras variable")
