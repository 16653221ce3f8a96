"""Keras's training step on torch, traced once and replayed under plain `model.fit`.

    model.compile(...)
    fast_fit.accelerate(model)
    model.fit(...)

Keras's own `train_step`, `test_step` and `predict_step` run once inside a `keras.StatelessScope`
under `make_fx`, which writes their ATen operations down: forward, loss, gradients, optimizer and
metrics. From then on the operations are replayed on the variables' own memory; the Python in
between, a quarter of a CPU step and most of a GPU step, is gone. The traced function is
Keras's, so there is no second copy of its semantics here to drift from it.
"""

import sys
import warnings

import keras

from keras_fmnist.fast_fit.errors import UntraceableError
from keras_fmnist.fast_fit.steps import Step

__all__ = ["UntraceableError", "accelerate"]
_KINDS = ("train", "test", "predict")


def accelerate(model: keras.Model, exact: bool = False, inductor: bool = False) -> keras.Model:
    """Make `fit`, `evaluate` and `predict` of a functional model replay traced steps.

    Call it before or after `compile`; saving, callbacks, metrics and `trainable` stay as they are.
    A step is traced once for each batch shape, dtype and structure, and again whenever `compile` is
    called, a variable is frozen or released, or something else is put in the place of what a layer,
    the optimizer, its schedule, a loss, a metric or a regularizer holds directly. What Python finds
    inside a list or a dict, in a global or in a closure is read once, at the trace. The learning
    rate is a variable and is read at every step. A step that can not be replayed faithfully runs as
    Keras runs it, with one warning that says why. On CUDA the replay is captured as a CUDA graph;
    on CPU glibc is told, for the whole process, to keep the memory that is freed.

    Args:
        model: a functional or sequential `keras.Model`; changed in place.
        exact: give the weights of stock Keras bit for bit on CPU. Else dropout draws its masks
            there from 16-bit slices of the same generator (rate within 1/131072), and batch norm
            on channels first runs torch's kernel, which rounds otherwise.
        inductor: compile the traced step with inductor on CPU: some 20 s at first, a few in later
            runs, which find it in the folder TORCHINDUCTOR_CACHE_DIR.

    Returns:
        `model`.
    """
    if keras.backend.backend() != "torch":
        warnings.warn("steps are traced on the torch backend only", stacklevel=2)
        return model
    for kind in _KINDS:
        setattr(model, f"make_{kind}_function", _maker(model, kind, exact, inductor))
        setattr(model, f"{kind}_function", None)
    model.reset_metrics = _epoch_marker(model)
    return model


def _maker(model, kind, exact, inductor):
    """The instance's own `make_<kind>_function`: `compile` empties the slot, this fills it."""
    slot = f"{kind}_function"

    def make(force=False):
        step = getattr(model, slot)
        if force or step is None:
            getattr(type(model), f"make_{kind}_function")(model, force=True)
            step = Step(model, kind, getattr(model, slot), exact, inductor)
            setattr(model, slot, step)
        if isinstance(step, Step):
            step.verify_soon()
        return step

    return make


def _epoch_marker(model):
    """The instance's own `reset_metrics`, which Keras calls where an epoch begins."""

    def reset_metrics():
        type(model).reset_metrics(model)
        # For a single batch it is called too, by `train_on_batch`.
        begins_epoch = not sys._getframe(1).f_code.co_name.endswith("on_batch")
        for kind in _KINDS:
            step = getattr(model, f"{kind}_function")
            if isinstance(step, Step) and begins_epoch:
                step.verify_soon(in_new_epoch=True)

    return reset_metrics
