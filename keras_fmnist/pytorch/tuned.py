"""What an expert would make of a native training loop on a CPU, with all that ours found out."""

import copy
import time

import torch
from torch import nn

from keras_fmnist.fast_fit import masks, runnable
from keras_fmnist.pytorch import loops

_TRIAL_STEPS = 5


class Dropout(nn.Module):
    """`nn.Dropout` with the masks that `fast_fit` draws."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.keep = 1 - rate

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Drops elements and scales the others, in training mode."""
        if not self.training or self.keep == 1:
            return x
        return x * masks.draw_fast_mask_(torch.empty_like(x), self.keep).div_(self.keep)


def tune(
    net: nn.Module,
    inputs: torch.Tensor,
    targets: torch.Tensor,
    loss: loops.Loss,
    batch_size: int,
) -> nn.Module:
    """The net with fast dropout, its weights in the layout in which it trains faster.

    glibc is told to keep freed memory, as `fast_fit` tells it.

    Args:
        net: a native net; changed in place.
        inputs: `(n, 1, 28, 28)` float32, of which a few batches are tried.
        targets: the loss's.
        loss: from outputs and targets to their mean loss.
        batch_size: images a step.
    """
    runnable.keep_freed_memory()
    _replace_dropout(net)
    images = slice(0, batch_size * _TRIAL_STEPS)

    def seconds(layout):
        trial = copy.deepcopy(net).to(memory_format=layout)
        best = float("inf")
        for _ in range(3):
            started = time.perf_counter()
            loops.train(
                trial,
                inputs[images],
                targets[images],
                epochs=1,
                batch_size=batch_size,
                optimizer=torch.optim.SGD(trial.parameters(), 1e-9),
                loss=loss,
            )
            best = min(best, time.perf_counter() - started)
        return best

    return net.to(memory_format=min((torch.contiguous_format, torch.channels_last), key=seconds))


def _replace_dropout(net):
    for name, child in net.named_children():
        if type(child) is nn.Dropout:
            setattr(net, name, Dropout(child.p))
        else:
            _replace_dropout(child)


def fused_optimizer(optimizer: torch.optim.Optimizer) -> torch.optim.Optimizer:
    """The same optimizer, fresh, with torch's fused kernel."""
    settings = {name: v for name, v in optimizer.defaults.items() if name not in ("foreach",)}
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    return type(optimizer)(parameters, **{**settings, "fused": True})
