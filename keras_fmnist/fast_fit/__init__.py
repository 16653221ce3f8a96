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

import warnings

import keras

from keras_fmnist.fast_fit import runnable, tracing
from keras_fmnist.fast_fit.tracing import UntraceableError

# A model whose shapes or settings change at every step would be traced at every step.
_MOST_TRACES = 32


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
            there from 16-bit slices of the same generator (rate within 1/131072), batch norm on
            channels first runs torch's kernel, convolutions read maps channels last, a first
            layer with its pooling and a last one of few outputs are matrix products, and at
            evaluation batch norm is folded into the convolution before it: all that rounds
            otherwise. The gradient of a bias before a batch norm, nothing but rounding, may be 0.
        inductor: compile the traced step with inductor on CPU: some 20 s at first, a few in later
            runs, which find it in the folder TORCHINDUCTOR_CACHE_DIR.

    Returns:
        `model`.
    """
    if keras.backend.backend() != "torch":
        warnings.warn("steps are traced on the torch backend only", stacklevel=2)
        return model
    for kind in ("train", "test", "predict"):
        setattr(model, f"make_{kind}_function", _maker(model, kind, exact, inductor))
        setattr(model, f"{kind}_function", None)
    return model


def _maker(model, kind, exact, inductor):
    """The instance's own `make_<kind>_function`: `compile` empties the slot, this fills it."""
    slot = f"{kind}_function"

    def make(force=False):
        if force or getattr(model, slot) is None:
            getattr(type(model), f"make_{kind}_function")(model, force=True)
            setattr(model, slot, _Step(model, kind, getattr(model, slot), exact, inductor))
        return getattr(model, slot)

    return make


class _Step:
    """What `fit` calls for a batch: replays its trace, or runs the stock step and says why."""

    def __init__(self, model, kind, stock, exact, inductor):
        self._model = model
        self._kind = kind
        self._stock = stock
        self._options = (exact, inductor)
        self._replays = {}
        self._traced = 0
        self._given_up = False

    def __call__(self, data):
        if not self._given_up:
            batch = keras.tree.map_structure(_as_tensor, data[0])
            try:
                replay = self._replay_for(batch)
            except Exception as error:
                # Where the batch is at fault this raises what Keras says about it.
                outputs = self._stock(data)
                self._give_up(error)
                return outputs
            return replay(keras.tree.flatten(batch))
        return self._stock(data)

    def _replay_for(self, batch):
        key = repr(keras.tree.map_structure(_signature, batch))
        replay = self._replays.get(key)
        if replay is None or replay.is_stale():
            if replay is not None:
                self._replays.clear()
            if self._traced == _MOST_TRACES:
                raise UntraceableError(f"its shapes or settings changed {_MOST_TRACES} times")
            self._traced += 1
            replay = self._replays[key] = tracing.trace(
                self._model, self._kind, batch, *self._options
            )
        return replay

    def _give_up(self, error):
        self._given_up = True
        self._replays.clear()
        known = isinstance(error, UntraceableError)
        reason = str(error) if known else runnable.summarize(error)
        warnings.warn(
            f"{self._model.name}: the {self._kind} step runs as stock Keras: {reason}",
            stacklevel=2,
        )


def _as_tensor(leaf):
    return leaf if leaf is None else keras.ops.convert_to_tensor(leaf)


def _signature(leaf):
    return None if leaf is None else (*leaf.shape, *leaf.stride(), str(leaf.dtype))
