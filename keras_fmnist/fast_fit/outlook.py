"""When a trace pays: by the steps that lie ahead, and by those that were taken.

A trace costs Python for every operation, and a replay saves some for every operation of a step. So
the cost is counted in stock steps, and everything is decided by counts: the clock would make two
runs of one seed differ in their last bits. Measured on eleven nets (docs/fast_fit.md), a trace
takes 10 to 50 stock steps, and 180 where a recurrent layer is unrolled into thousands of small
operations; a replay saves a fifth to a half of a step.
"""

import collections
from collections.abc import Callable
from typing import Any

import keras
from torch.utils._python_dispatch import TorchDispatchMode

MANY_OPERATIONS = 1000
# Stock steps that a trace costs at most, for a step of few operations and of many.
_COST = {False: 50, True: 180}
# So many steps ahead save what the trace costs, or all but a twentieth of them.
STEPS_THAT_PAY = {False: 100, True: 500}
# Where nobody knows what lies ahead, a trace follows so many costs of its own: a run that ends just
# then has lost a tenth.
_COSTS_TAKEN = 10


class Outlook:
    """What is known of the steps of one model, of each kind.

    Args:
        at_once: every step is worth a trace when it first comes.
    """

    def __init__(self, at_once: bool) -> None:
        self._at_once = at_once
        self._epochs = 0
        self._ahead = collections.Counter()
        self._taken = collections.Counter()
        self._operations = {}

    def look_ahead(self, caller: dict[str, Any]) -> None:
        """Notes how many steps are certain where an epoch begins.

        Args:
            caller: the variables of Keras's `fit` or `evaluate`. What `fit` says of its epochs
                counts for the validation in it, too.
        """
        steps = getattr(caller.get("epoch_iterator"), "num_batches", None) or 0
        if {"epoch", "epochs"} <= caller.keys():
            self._epochs = _count_epochs(
                caller["epochs"] - caller["epoch"], caller.get("callbacks")
            )
            self._ahead["train"] = steps * self._epochs
        else:
            in_fit = caller.get("use_cached_eval_dataset", False)
            self._ahead["test"] = steps * (self._epochs if in_fit else 1)

    def is_worth_a_trace(self, kind: str) -> bool:
        """Whether a trace pays for the next step; the same for the same steps, on any machine."""
        ahead, operations = self._ahead[kind], self._operations.get(kind)
        if self._at_once or ahead >= STEPS_THAT_PAY[True]:
            return True
        if operations is None:  # the first step of its kind
            return False
        has_many = operations >= MANY_OPERATIONS
        taken = self._taken[kind]
        return ahead >= STEPS_THAT_PAY[has_many] or taken >= _COSTS_TAKEN * _COST[has_many]

    def take_stock(self, kind: str, step: Callable, data: tuple) -> Any:
        """Takes a stock step; of the first one of a kind the operations are counted."""
        self._taken[kind] += 1
        if self._at_once or kind in self._operations:
            return step(data)
        with _CountOperations() as counted:
            outputs = step(data)
        self._operations[kind] = counted.operations
        return outputs


def _count_epochs(left, callbacks):
    """Epochs that are certain to come: an early stop may end the others."""
    for callback in getattr(callbacks, "callbacks", ()):
        if isinstance(callback, keras.callbacks.EarlyStopping):
            left = min(left, max(1, callback.patience - getattr(callback, "wait", 0)))
    return left


class _CountOperations(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.operations = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.operations += 1
        return func(*args, **(kwargs or {}))
