"""Which tensor of somebody's file belongs to which layer of a net.

Names decide where they are ours, once those of wrappers are off; where they are not, order and
shape do, if that leaves one way. A file that holds the encoder alone, or a classifier where an
autoencoder is wanted, gives what it has.
"""

import difflib
import itertools
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from keras_fmnist.models.weights import WeightsError
from keras_fmnist.specs import CLASSES

Shapes = Mapping[str, tuple[int, ...]]
Row = tuple[str, str, str, str]
# What DataParallel, DistributedDataParallel, torch.compile and Lightning's Fabric put into names.
WRAPPERS = ("module", "_orig_mod", "_forward_module")
COUNTERS = ("num_batches_tracked", "n_averaged")  # of batch norm and of averaged models
ROLES = {
    *("weight", "bias", "running_mean", "running_var"),
    *("kernel", "gamma", "beta", "moving_mean", "moving_variance"),
}
# Endings of names that stand for parts from which PyTorch computes a weight.
REWRITTEN = {
    r"weight_u|parametrizations\.\w+\.(original|0\._[uv])": (
        "spectral norm: torch.nn.utils.remove_spectral_norm, or "
        "parametrize.remove_parametrizations,"
    ),
    r"weight_[gv]|parametrizations\.\w+\.original[01]": (
        "weight norm: torch.nn.utils.remove_weight_norm, or parametrize.remove_parametrizations,"
    ),
    r"\w+_(orig|mask)": "pruning: torch.nn.utils.prune.remove",
}
SHOWN = 4  # names in one sentence
MOST_TENSORS = 1000  # the nets here have 16 at most, and comparing names takes time


@dataclass(frozen=True)
class Match:
    """What belongs where.

    Attributes:
        names: `{our name: the file's name}`, of the whole net or of its encoder alone.
        notes: what was done to get there, in words.
        guessed: whether order and shape decided, and not names.
    """

    names: dict[str, str]
    notes: tuple[str, ...]
    guessed: bool = False


class MatchError(WeightsError):
    """A file whose tensors cannot be told apart, or do not fit.

    Attributes:
        rows: both sides beside each other: the file's name and shape, our name and shape.
    """

    def __init__(self, message: str, rows: Sequence[Row] = ()) -> None:
        super().__init__(message)
        self.rows = rows


def match(
    found: Shapes, wanted: Shapes, renamed: Mapping[str, str] | None = None, mark: str = "."
) -> Match:
    """Finds a tensor of the file for every one of the net, or for every one of its encoder.

    Args:
        found: shapes by the file's names, in its order.
        wanted: shapes by our names, in the net's order.
        renamed: `{the file's name: our name}`, which somebody has decided.
        mark: what stands between the parts of a name.

    Raises:
        MatchError: none, or more than one, fits.
    """
    found = {name: found[name] for name in found if name.split(mark)[-1] not in COUNTERS}
    if len(found) > MOST_TENSORS:
        raise MatchError(f"{len(found)} tensors are no net of ours: this one has {len(wanted)}")
    _refuse_rewritten(found)
    theirs, notes = _take_wrappers_off(found, {name.split(mark)[0] for name in wanted}, mark)
    if renamed:
        theirs, notes = _rename(theirs, found, renamed), []
    shapes = {name: found[original] for name, original in theirs.items()}
    encoder = {name: wanted[name] for name in wanted if name.startswith(f"encoder{mark}")}
    ways = (
        _match_names(shapes, wanted, encoder, mark),
        _match_order(shapes, wanted, encoder, mark),
    )
    way = next((way for way in ways if way is not None), None)
    if way is None:
        raise _explain(shapes, wanted, theirs, mark)
    names = {ours: theirs[name] for ours, name in way.names.items()}
    return Match(names, (*notes, *way.notes), way.guessed)


def _refuse_rewritten(found):
    """Weights of a net that computes them from others are not to be had without that net."""
    for (pattern, remedy), name in itertools.product(REWRITTEN.items(), found):
        if re.search(rf"(^|\.)({pattern})$", name):
            raise MatchError(f"{name} is a part of {remedy} before saving makes it a plain weight")


def _take_wrappers_off(found, ours, mark):
    """`{name without wrappers: the file's name}`, and what was taken off."""
    parts = {name: name.split(mark) for name in found}
    off = [w for w in WRAPPERS if any(w in part[:-1] for part in parts.values())]
    parts = {
        name: [p for p in part[:-1] if p not in WRAPPERS] + part[-1:]
        for name, part in parts.items()
    }
    while len({part[0] for part in parts.values()}) == 1:
        first = next(iter(parts.values()))[0]
        if first in ours or any(len(part) < 3 for part in parts.values()):
            break
        off.append(first)
        parts = {name: part[1:] for name, part in parts.items()}
    theirs = {mark.join(part): name for name, part in parts.items()}
    if len(theirs) < len(found):  # two would have one name
        return {name: name for name in found}, []
    return theirs, ["without " + " and ".join(f"{w}{mark}" for w in off if w)] if any(off) else []


def _rename(theirs, found, renamed):
    """The names that a table gives; whatever it leaves out keeps its own."""
    known = {name: name for name in found} | theirs
    for name in renamed:
        if name not in known:
            raise MatchError(f"the map's {name} is not in the file; {_list_near(name, found)}")
    decided = {known[name]: ours for name, ours in renamed.items()}
    return {decided.get(original, name): original for name, original in theirs.items()}


def _match_names(shapes, wanted, encoder, mark):
    """By our names: the net, or its encoder; beside it another kind of net's end may stand."""
    alone = {name.removeprefix(f"encoder{mark}") for name in encoder}
    if shapes.keys() == alone:
        return _name_fresh({f"encoder{mark}{name}": name for name in shapes}, wanted)
    base = next((b for b in (wanted, encoder) if b and b.keys() <= shapes.keys()), None)
    if base is None:
        return None
    rest = {name: shapes[name] for name in shapes if name not in base}
    is_classifier = not any(name.startswith(f"decoder{mark}") for name in wanted)
    if rest and not (_is_decoder(rest, mark) if is_classifier else _is_head(rest)):
        return None
    way = _name_fresh({name: name for name in base}, wanted)
    unused = (f"not used: {', '.join(rest)}",) if rest else ()
    return Match(way.names, (*unused, *way.notes))


def _is_decoder(rest, mark):
    return all(name.startswith(f"decoder{mark}") for name in rest)


def _is_head(rest):
    """Whether these are fully connected layers, the last with an output for each class."""
    matrices = [shape for shape in rest.values() if len(shape) == 2]
    return all(len(shape) <= 2 for shape in rest.values()) and any(
        CLASSES in shape for shape in matrices
    )


def _name_fresh(names, wanted):
    left = dict.fromkeys(name.split(_mark(name))[0] for name in wanted if name not in names)
    notes = (f"the encoder alone, {' and '.join(left)} fresh",) if left else ()
    return Match(names, notes)


def _mark(name):
    return "/" if "/" in name else "."


def _match_order(shapes, wanted, encoder, mark):
    """By order and shape: the net, or its encoder."""
    for target in (wanted, encoder):
        pairs = _pair(shapes, target, mark)
        # A name that is ours stays where it is.
        if pairs and all(name == ours for ours, name in pairs.items() if name in target):
            way = _name_fresh(pairs, wanted)
            return Match(pairs, ("matched by order and shape", *way.notes), guessed=True)
    return None


def _pair(found, wanted, mark):
    """`{our name: the file's}` where layers fit in their order, or each is like no other."""
    theirs, ours = _list_layers(found, mark), _list_layers(wanted, mark)
    if not all(role in ROLES for layer in theirs for role, _ in layer):
        theirs, ours = ([{("", s): name} for name, s in side.items()] for side in (found, wanted))
    kinds, wanted_kinds = ([frozenset(layer) for layer in side] for side in (theirs, ours))
    if kinds != wanted_kinds:
        if Counter(kinds) != Counter(wanted_kinds) or len(set(kinds)) < len(kinds):
            return None
        theirs = [theirs[kinds.index(kind)] for kind in wanted_kinds]
    return {our[key]: their[key] for their, our in zip(theirs, ours, strict=True) for key in our}


def _list_layers(shapes, mark):
    """For each layer, in the order of its first tensor: `{(role, shape): name}`."""
    layers = {}
    for name, shape in shapes.items():
        layer, _, role = name.rpartition(mark)
        layers.setdefault(layer, {})[role, shape] = name
    return list(layers.values())


def _explain(shapes, wanted, theirs, mark):
    """Why nothing fits, with both sides."""
    missing = [name for name in wanted if name not in shapes]
    unknown = [name for name in shapes if name not in wanted]
    if len(missing) < len(wanted) / 2:  # the names are ours
        if missing:
            return MatchError(
                f"{missing[0]} is missing; {_list_near(missing[0], unknown or shapes)}"
            )
        near = ", ".join(_sort_near(unknown[0], wanted)[:SHOWN])
        return MatchError(f"{unknown[0]} belongs to no layer of this model; near it are {near}")
    rows = [
        (theirs.get(name, ""), _show(shapes.get(name)), ours, _show(wanted.get(ours)))
        for name, ours in _align(shapes, wanted, mark)
    ]
    if Counter(shapes.values()) == Counter(wanted.values()):
        return MatchError(
            "the shapes are those of this model, but several tensors share one and their order is "
            "another: --map FILE says which is which",
            rows,
        )
    apart = [row for row in rows if row[1] != row[3]]
    pairs = "; ".join(
        f"{ours or 'no layer'} {want}".rstrip() + f" meets {name or 'nothing'} {have}".rstrip()
        for name, have, ours, want in apart[:SHOWN]
    )
    return MatchError(
        f"{len(shapes)} tensors do not fit the {len(wanted)} of this model: {pairs}", rows
    )


def _align(shapes, wanted, mark):
    """Pairs of names: layers that are alike stand beside each other, the others in their order."""
    theirs, ours = (_list_layers(side, mark) for side in (shapes, wanted))
    kinds = [[frozenset(shape for _, shape in layer) for layer in side] for side in (theirs, ours)]
    blocks = difflib.SequenceMatcher(None, *kinds, autojunk=False).get_opcodes()
    for _, first, end, our_first, our_end in blocks:
        sides = theirs[first:end], ours[our_first:our_end]
        for layer, our in itertools.zip_longest(*sides, fillvalue={}):
            yield from itertools.zip_longest(layer.values(), our.values(), fillvalue="")


def _list_near(name, known):
    return f"the file has {', '.join(_sort_near(name, known)[:SHOWN])}"


def _sort_near(name, known):
    return sorted(known, key=lambda other: -difflib.SequenceMatcher(None, name, other).ratio())


def _show(shape):
    return "" if shape is None else "×".join(map(str, shape)) or "a number"
