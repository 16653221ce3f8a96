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
from keras_fmnist.fast_fit.outlook import Outlook
from keras_fmnist.fast_fit.steps import Step

__all__ = ["UntraceableError", "accelerate"]
_KINDS = ("train", "test", "predict")


def accelerate(
    model: keras.Model, exact: bool = False, inductor: bool = False, at_once: bool = False
) -> keras.Model:
    """Make `fit`, `evaluate` and `predict` of a functional model replay traced steps.

    Call it before or after `compile`; saving, callbacks, metrics and `trainable` stay as they are,
    and so do `model.losses` and the gradients of the weights after a step.

    A step is traced where that pays: at once where `fit` has 100 steps ahead (500 if a step has
    more than 1000 operations), else after some hundred steps of stock Keras. The clock has no part
    in it. It is traced once for each batch shape, dtype and structure, and again where something
    has changed that it reads: what layers, optimizer, losses, metrics, schedules, regularizers and
    constraints hold, to any depth, lists and dicts among it; what functions of the user's find in
    closures, defaults, globals and modules of theirs. Variables are read at every step wherever
    they are held. Where an epoch begins Keras's own step is compared with the trace: what is not
    watched, a library that was patched, say, is noticed there and told of.

    A step that can not be replayed faithfully runs as Keras runs it, with one warning that says
    why. On CUDA the replay is captured as a CUDA graph; on CPU glibc is told, for the whole
    process, to keep the memory that is freed.

    Args:
        model: a functional or sequential `keras.Model`; changed in place.
        exact: give the weights of stock Keras bit for bit on CPU. Else dropout draws its masks
            there from 16-bit slices of the same generator (rate within 1/131072), batch norm of
            maps and Adam run torch's kernels, convolutions read maps channels last, a first layer
            with its pooling and a last one of few outputs are matrix products, maps spread with
            zeros are computed without the zeros, and at evaluation batch norm is folded into the
            convolution before it: all that rounds otherwise. The gradient of a bias before a batch
            norm, nothing but rounding, may be 0. Other layers that draw random numbers draw them
            from torch's generators, and run as stock if `exact`.
        inductor: compile the traced step with inductor on CPU: some 20 s at first, a few in later
            runs, which find it in the folder TORCHINDUCTOR_CACHE_DIR.
        at_once: trace every step when it first comes: a run that is cut into several calls of
            `fit` has the same bits then.

    Returns:
        `model`.
    """
    if keras.backend.backend() != "torch":
        warnings.warn("steps are traced on the torch backend only", stacklevel=2)
        return model
    outlook = Outlook(at_once)
    for kind in _KINDS:
        setattr(model, f"make_{kind}_function", _maker(model, kind, exact, inductor, outlook))
        setattr(model, f"{kind}_function", None)
    model.reset_metrics = _epoch_marker(model, outlook)
    return model


def _maker(model, kind, exact, inductor, outlook):
    """The instance's own `make_<kind>_function`: `compile` empties the slot, this fills it."""
    slot = f"{kind}_function"

    def make(force=False):
        step = getattr(model, slot)
        if force or step is None:
            getattr(type(model), f"make_{kind}_function")(model, force=True)
            step = Step(model, kind, getattr(model, slot), (exact, inductor), outlook)
            setattr(model, slot, step)
        if isinstance(step, Step):
            step.verify_soon()
        return step

    return make


def _epoch_marker(model, outlook):
    """The instance's own `reset_metrics`, which Keras calls where an epoch begins."""

    def reset_metrics():
        type(model).reset_metrics(model)
        # For a single batch it is called too, by `train_on_batch`.
        caller = sys._getframe(1)
        begins_epoch = not caller.f_code.co_name.endswith("on_batch")
        if begins_epoch:
            outlook.look_ahead(caller.f_locals)
            _call_back_between_steps(model, caller.f_locals.get("callbacks"))
        for kind in _KINDS:
            step = getattr(model, f"{kind}_function")
            if isinstance(step, Step) and begins_epoch:
                step.verify_soon(in_new_epoch=True)

    return reset_metrics


def _call_back_between_steps(model, callbacks):
    """Have Keras call the callbacks of a batch before the next step, not in a thread beside it.

    On a CPU nothing is gained by the thread: it takes the interpreter's lock in the middle of a
    step, a quarter of the processor time where the net is small. On a GPU it waits for the losses,
    and the steps do not.
    """
    if all(variable.value.device.type == "cpu" for variable in model.variables):
        for name in ("_async_train", "_async_test"):
            if hasattr(callbacks, name):
                setattr(callbacks, name, False)
