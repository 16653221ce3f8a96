"""How a traced step runs on a device: as it is, through inductor, or as a CUDA graph."""

import contextlib
import ctypes
import functools
import os
import re
import threading
import warnings
from collections.abc import Callable

import torch
from torch.fx.experimental.proxy_tensor import make_fx

from keras_fmnist.fast_fit import (
    adam,
    convolutions,
    few_inputs,
    layout,
    masks,
    pooled,
    rewrite,
    spread,
    transposed,
)


def generators_kept() -> contextlib.AbstractContextManager[None]:
    """Give torch's generators back as they were: tracing and warming up draw masks."""
    cuda = torch.cuda.is_initialized()
    return torch.random.fork_rng(devices=[torch.cuda.current_device()] if cuda else [])


def make_runnable(
    module: torch.fx.GraphModule,
    state: list[torch.Tensor],
    leaves: list[torch.Tensor],
    exact: bool,
    inductor: bool,
    fresh: int,
) -> Callable[..., list[torch.Tensor]]:
    """Turn a traced step into what is called for each batch.

    Args:
        module: `torch.fx.GraphModule` of ATen operations; changed in place.
        state: the variables' tensors, in the order of the module's first arguments; the result
            updates their memory.
        leaves: tensors of one batch, the module's last arguments.
        exact: see `fast_fit.accelerate`.
        inductor: compile the module (CPU only).
        fresh: how many of the first results no later step may overwrite.

    Returns:
        A function of `(*state, *leaves)` that takes one step and gives a list of tensors.
    """
    rewrite.clean(module)
    devices = {tensor.device.type for tensor in (*state, *leaves)}
    if devices == {"cuda"}:
        return _try(_CudaGraph, module, state, leaves, fresh=fresh) or module.forward
    if devices == {"cpu"}:
        if not exact:
            draw = masks.draw_traceable_mask_ if inductor else masks.draw_fast_mask_
            masks.replace_masks(module.graph, draw)
        run = _try(_compile, module, state, leaves) if inductor else None
        if run is not None:
            return run
        if exact and masks.stock_mask_is_reproduced():
            masks.replace_masks(module.graph, masks.draw_stock_mask_)
        keep_freed_memory()
        if not exact:
            _rearrange(module, [*state, *leaves])
        rewrite.pool_channels_last(module.graph)
        rewrite.reuse_memory(module.graph)
    module.recompile()
    if devices == {"cpu"}:
        _try_out(module, state, leaves)
    return module.forward


def _try_out(module, state, leaves):
    """Take the step on copies: an operation that fails must not stop `fit` half way in a step."""
    with torch.no_grad(), generators_kept(), _own_generators_kept(module):
        module(*(tensor.clone() for tensor in (*state, *leaves)))


def _rearrange(module, inputs):
    """The rewritings that round otherwise."""
    graph = module.graph
    layout.drop_copies(module, inputs)
    transposed.absorb_crops(graph)
    convolutions.fold_affine(graph)
    layout.prefer_channels_last(graph)
    few_inputs.pool_few_inputs(graph)
    pooled.pool_first(graph)
    spread.compute_without_zeros(graph)
    transposed.add_up_few_outputs(graph)
    adam.fuse_adam(graph)
    layout.describe(module, inputs)


def _try(build, module, state, leaves, **settings):
    """`build(module, state, leaves, …)`, or None and a warning that says why not."""
    module.recompile()
    try:
        return build(module, state, leaves, **settings)
    except Exception as error:
        name = build.__name__.strip("_")
        warnings.warn(f"replaying without {name}: {summarize(error)}", stacklevel=2)
        return None


def summarize(error: Exception) -> str:
    """One line of an error: its type and the start of its message, without terminal colours."""
    message = " ".join(re.sub(r"\x1b\[\d*m", "", str(error)).split())
    return f"{type(error).__name__}: {message[:300]}"


@functools.cache
def keep_freed_memory() -> None:
    """Tell glibc to keep freed memory in the process.

    By default it gives the feature maps of a step back to the kernel and faults them in again
    at the next one: up to 5000 page faults and 5 ms a step.
    """
    trim_threshold, mmap_threshold = -1, -3
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if mallopt is not None:
        mallopt(mmap_threshold, 1 << 30)
        mallopt(trim_threshold, (1 << 31) - 1)


def _compile(module, state, leaves):
    """The module through inductor, whose cache on disk outlives the process."""
    copies = [tensor.clone() for tensor in (*state, *leaves)]
    # Inductor's own generator would ignore `torch.manual_seed` between steps.
    options = {"fallback_random": True}
    with torch.no_grad(), generators_kept():
        # Traced once more, the mask's Python is ATen too, which is all that inductor takes.
        lowered = make_fx(module)(*copies)
        run = torch.compile(lowered, fullgraph=True, dynamic=False, options=options)
        run(*copies)
    return run


@contextlib.contextmanager
def _own_generators_kept(module):
    before = [(generator, generator.get_state()) for generator in _own_generators(module)]
    yield
    for generator, state in before:
        generator.set_state(state)


def _own_generators(module):
    """The generators of layers with a seed of their own, once each."""
    found = [getattr(child, "generator", None) for child in module.modules()]
    return list({id(generator): generator for generator in found if generator is not None}.values())


class _CudaGraph:
    """A captured step: launched as a whole on fixed addresses.

    The variables are the fixed addresses of the state; batches are copied into buffers and
    the first results out of them, since the next launch overwrites both.
    """

    def __init__(self, module, state, leaves, fresh):
        self._fresh = fresh
        # Threads that predict at once would overwrite each other's batch.
        self._lock = threading.Lock()
        self._inputs = [leaf.clone() for leaf in leaves]
        self._warm_up(module, state)
        self._graph = torch.cuda.CUDAGraph()
        for generator in _own_generators(module):
            self._graph.register_generator_state(generator)
        with torch.no_grad(), torch.cuda.graph(self._graph):
            self._outputs = module(*state, *self._inputs)

    def _warm_up(self, module, state):
        """Let libraries choose kernels and take workspace, on copies: no step is taken."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with (
            torch.no_grad(),
            generators_kept(),
            _own_generators_kept(module),
            torch.cuda.stream(stream),
        ):
            for _ in range(3):
                module(*(tensor.clone() for tensor in state), *self._inputs)
        torch.cuda.current_stream().wait_stream(stream)

    def __call__(self, *tensors):
        with self._lock:
            torch._foreach_copy_(self._inputs, list(tensors[-len(self._inputs) :]))
            self._graph.replay()
            results = [output.clone() for output in self._outputs[: self._fresh]]
        return results + self._outputs[self._fresh :]
