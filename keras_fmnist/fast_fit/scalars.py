"""The one operation that Keras's optimizers use and ATen can not write down."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode


@torch.library.custom_op("keras_fmnist::foreach_add_", mutates_args=("targets",))
def foreach_add_(
    targets: list[torch.Tensor], values: list[torch.Tensor], alpha: torch.Tensor
) -> None:
    """Add `alpha * values` to `targets` in place, `alpha` being a tensor of one element."""
    if alpha.is_cuda:
        # Reading the number on the host would end a capture; the product is rounded once more.
        torch._foreach_add_(targets, torch._foreach_mul(values, alpha))
    else:
        torch._foreach_add_(targets, values, alpha=alpha.item())


class scalars_kept_as_tensors(TorchFunctionMode):  # noqa: N801  # read as a function
    """While active, `torch._foreach_add_(…, alpha=tensor)` does not read the tensor's number.

    SGD, RMSprop and others pass the learning rate so. torch would turn it into a Python number,
    which a trace would hold for ever.
    """

    def __torch_function__(
        self, func: Callable, types: Iterable[type], args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func is torch._foreach_add_ and isinstance(kwargs.get("alpha"), torch.Tensor):
            foreach_add_(*(list(tensors) for tensors in args), kwargs["alpha"])
            return args[0]
        return func(*args, **kwargs)
