"""What `fit`, `evaluate` and `predict` call for a batch: a replay, or Keras's own step."""

import collections
import threading
import warnings
from collections.abc import Callable

import keras

from keras_fmnist.fast_fit import runnable, surroundings, tracing
from keras_fmnist.fast_fit.errors import UntraceableError
from keras_fmnist.fast_fit.outlook import Outlook
from keras_fmnist.fast_fit.tracing import Structure

# A trace takes as long as some fifty steps. Settings that change more often than that cost more
# than they save, and so do shapes that are seen once: after the first few a shape is traced when
# it comes again, and what is kept is bounded.
_MOST_TRACES = 32
_STEPS_PER_TRACE = 50
_SHAPES_TRACED_AT_ONCE = 4

# Between two verifications lie this many steps, fewer in the first epochs. Steps without a
# backward pass are shorter.
_STEPS_PER_VERIFICATION = {"train": 100, "test": 200, "predict": 200}
_MORE_STEPS_EACH_TIME = 10

# Tracing patches layers and modules of Keras for all threads.
_tracing = threading.RLock()


class Step:
    """A step of one kind of a model: replays its trace, or runs the stock step and says why.

    Args:
        model: the model.
        kind: "train", "test" or "predict".
        stock: Keras's own function of a batch.
        options: `exact` and `inductor`, see `fast_fit.accelerate`.
        outlook: of the model.
    """

    def __init__(
        self,
        model: keras.Model,
        kind: str,
        stock: Callable,
        options: tuple[bool, bool],
        outlook: Outlook,
    ) -> None:
        self._model = model
        self._kind = kind
        self._stock = stock
        self._options = options
        self._outlook = outlook
        self._replays = {}
        self._seen = collections.Counter()
        self._traced_again = 0
        self._steps = 0
        self._verified_at = 0
        self._verifications = 0
        self._is_due = False
        self._given_up = False
        self._reasons = set()

    def verify_soon(self, in_new_epoch: bool = False) -> None:
        """Verify the next step, where enough steps were replayed since the last time."""
        least = _STEPS_PER_VERIFICATION[self._kind]
        if in_new_epoch:
            least = min(least, _MORE_STEPS_EACH_TIME * self._verifications)
        self._is_due = self._is_due or self._steps - self._verified_at > least

    def __call__(self, data: tuple) -> Structure:
        """Take the step: what Keras's iterator yields in, Keras's logs or predictions out."""
        if self._given_up:
            return self._stock(data)
        batch = keras.tree.map_structure(_as_tensor, data[0])
        try:
            replay = self._replay_for(batch)
        except Exception as error:
            # Where the batch is at fault this raises what Keras says about it.
            outputs = self._stock(data)
            self._give_up(error)
            return outputs
        if replay is None:
            return self._outlook.take_stock(self._kind, self._stock, data)
        self._steps += 1
        return replay(keras.tree.flatten(batch))

    def _replay_for(self, batch):
        """The replay for a batch, traced where there is none; None where stock has to do."""
        key = repr(keras.tree.map_structure(_signature, batch)), surroundings.describe()
        replay = self._replays.get(key)
        if replay is None or self._is_due or replay.is_stale():
            with _tracing:
                replay = self._renew(key, batch)
        reason = replay and replay.reason_for_stock()
        if reason:
            self._say(reason)
            return None
        return replay

    def _renew(self, key, batch):
        reason = surroundings.reason_for_stock([])
        if reason:
            self._say(reason)
            return None
        replay = self._replays.get(key)  # another thread may have been faster
        if replay is not None and not self._must_be_traced_again(replay, batch):
            return replay
        if replay is not None:
            self._replays.clear()
            self._traced_again += 1
            if self._traced_again >= _MOST_TRACES + self._steps // _STEPS_PER_TRACE:
                names = ", ".join(replay.changes())
                raise UntraceableError(
                    f"its settings changed {self._traced_again} times (lastly {names})"
                )
        elif not self._is_worth_a_trace(key):
            return None
        replay = tracing.trace(self._model, self._kind, batch, *self._options)
        self._replays[key] = replay
        return replay

    def _must_be_traced_again(self, replay, batch):
        is_due, self._is_due = self._is_due, False
        if replay.is_stale():
            return True
        if not is_due:
            return False
        self._verified_at = self._steps
        self._verifications += 1
        if replay.is_verified(batch):
            return False
        self._warn("was traced again: something has changed that is not watched")
        return True

    def _is_worth_a_trace(self, key):
        self._seen[key] += 1
        is_new = self._seen[key] == 1
        if len(self._replays) >= _MOST_TRACES:
            self._say(f"more than {_MOST_TRACES} shapes, the others are replayed")
            return False
        if len(self._seen) > _SHAPES_TRACED_AT_ONCE and is_new:
            return False
        return self._outlook.is_worth_a_trace(self._kind)

    def _say(self, reason):
        """Warn, once a reason, of steps that run as stock while it is so."""
        if reason not in self._reasons:
            self._reasons.add(reason)
            self._warn(f"runs as stock Keras while {reason}")

    def _give_up(self, error):
        self._given_up = True
        self._replays.clear()
        known = isinstance(error, UntraceableError)
        self._warn(f"runs as stock Keras: {str(error) if known else runnable.summarize(error)}")

    def _warn(self, text):
        warnings.warn(f"{self._model.name}: the {self._kind} step {text}", stacklevel=2)


def _as_tensor(leaf):
    return leaf if leaf is None else keras.ops.convert_to_tensor(leaf)


def _signature(leaf):
    return None if leaf is None else (*leaf.shape, *leaf.stride(), str(leaf.dtype))
