"""Dropout's masks on CPU, where drawing them is a third of a training step.

The functions fill a tensor in place as `Tensor.bernoulli_` does, and what they draw follows from
torch's global generator, so `torch.manual_seed` makes them reproducible.
"""

import functools
import math
from collections.abc import Callable

import numpy as np
import torch

_WORD_BITS = 64
_LANE_BITS = 16
_LANES = _WORD_BITS // _LANE_BITS
_LEVELS = 1 << _LANE_BITS

# torch compares the low 53 bits of a 64-bit word, the width of a double's fraction.
_FRACTION_BITS = 53
# The words of this many mask elements fit a core's cache: 512 KiB.
_CHUNK = 1 << 16


def draw_fast_mask_(out: torch.Tensor, keep: float) -> torch.Tensor:
    """Fill a tensor with independent ones (probability `keep`) and zeros, in place.

    Each random 64-bit word gives four 16-bit lanes, so a mask costs a quarter of the words and no
    branch. `keep` is rounded to a multiple of 1/65536: the rate is off by at most 1/131072.

    Args:
        out: tensor of any shape and floating dtype.
        keep: probability of a one, in (0, 1).

    Returns:
        `out`.
    """
    return keep_lanes_(out, draw_lanes(out.numel()).view(out.shape), keep)


def draw_lanes(count: int) -> torch.Tensor:
    """`count` random int16 numbers on the CPU, from all bits of random words.

    numpy's SFC64 gives them in less than half of the time that torch's Mersenne twister takes; its
    seed of 128 bits is drawn from torch's global generator.
    """
    seed = torch.randint(1 << 32, (4,)).tolist()
    # The words of `random_raw`, in three quarters of its time.
    generator = np.random.Generator(np.random.SFC64(seed))
    words = generator.integers(1 << _WORD_BITS, size=-(-count // _LANES), dtype=np.uint64)
    return torch.from_numpy(words.view(np.int16))[:count]


def keep_lanes_(out: torch.Tensor, lanes: torch.Tensor, keep: float) -> torch.Tensor:
    """Write the mask that random int16 numbers make at a probability: ones and zeros."""
    return torch.lt(lanes, _kept_levels(keep) - _LEVELS // 2, out=out)


def draw_traceable_mask_(out: torch.Tensor, keep: float) -> torch.Tensor:
    """What `draw_fast_mask_` does, by torch's own generator, which a compiler can write down.

    Args:
        out: tensor of any shape and floating dtype.
        keep: probability of a one, in (0, 1).

    Returns:
        `out`.
    """
    count = out.numel()
    # `random_()` leaves an int64's sign bit at zero, which would bias every fourth lane.
    low, high = -(1 << _WORD_BITS - 1), (1 << _WORD_BITS - 1) - 1
    words = torch.randint(low, high, (-(-count // _LANES),), device=out.device)
    return keep_lanes_(out, words.view(torch.int16)[:count].view(out.shape), keep)


def _kept_levels(keep):
    return round(keep * _LEVELS)


def draw_stock_mask_(out: torch.Tensor, keep: float) -> torch.Tensor:
    """Do what `out.bernoulli_(keep)` does on CPU, to the bit, in 0.6 of the time.

    torch draws a 64-bit word an element and compares its low 53 bits, taken as a fraction, with
    `keep` in one serial loop; here only the drawing is serial.

    Args:
        out: tensor of any shape and floating dtype.
        keep: probability of a one, in [0, 1].

    Returns:
        `out`.
    """
    if not out.is_contiguous():
        return out.bernoulli_(keep)
    words = torch.empty(min(out.numel(), _CHUNK), dtype=torch.int64)
    for chunk in out.view(-1).split(_CHUNK):
        drawn = words[: chunk.numel()].random_(-(2**63), None)
        fractions = drawn.bitwise_and_((1 << _FRACTION_BITS) - 1)
        torch.lt(fractions, math.ceil(keep * (1 << _FRACTION_BITS)), out=chunk)
    return out


@functools.cache
def stock_mask_is_reproduced() -> bool:
    """Whether this torch draws Bernoulli masks the way `draw_stock_mask_` does; asked once."""
    with torch.random.fork_rng(devices=[]):
        state = torch.get_rng_state()
        stock = torch.empty(_CHUNK + 5).bernoulli_(0.8)
        after = torch.get_rng_state()
        torch.set_rng_state(state)
        ours = draw_stock_mask_(torch.empty(_CHUNK + 5), 0.8)
        return torch.equal(stock, ours) and torch.equal(after, torch.get_rng_state())


DRAWS = (draw_fast_mask_, draw_traceable_mask_, draw_stock_mask_)


def replace_masks(
    graph: torch.fx.Graph, draw: Callable[[torch.Tensor, float], torch.Tensor]
) -> None:
    """Draw the Bernoulli masks of dropout with another function.

    Args:
        graph: `torch.fx.Graph` of ATen operations, changed in place.
        draw: one of `DRAWS`.
    """
    for node in graph.nodes:
        if node.target is not torch.ops.aten.bernoulli_.float:
            continue
        keep = node.args[1] if len(node.args) > 1 else 0.5  # the schema's default
        # A rate that rounds to "always" or "never" leaves no level to compare with.
        if 0 < _kept_levels(keep) < _LEVELS:
            node.target = draw
            node.args = (node.args[0], keep)
