"""Small questions about a graph that the rewritings of `fast_fit` share."""

import operator
from collections.abc import Iterable
from typing import Any

import torch

aten = torch.ops.aten
Node = torch.fx.Node


def reader(node: Node | None, target: Any) -> Node | None:
    """The one user of a node that is a call of `target`, or None."""
    found = [user for user in node.users if user.target is target] if node is not None else []
    return found[0] if len(found) == 1 else None


def only_user(node: Node) -> Node | None:
    """The user of a node that has one, or None."""
    return next(iter(node.users)) if len(node.users) == 1 else None


def item(node: Node | None, index: int) -> Node | None:
    """The node that takes one result of a call that gives several, or None."""
    for user in node.users if node is not None else ():
        if user.target is operator.getitem and user.args[1] == index:
            return user
    return None


def argument(node: Node, index: int) -> Any:
    """A positional argument, or its default in the operation's schema."""
    if index < len(node.args):
        return node.args[index]
    return node.target._schema.arguments[index].default_value


def are_closed(inner: Iterable[Node], boundary: Iterable[Node | None]) -> bool:
    """Whether the nodes inside are used by each other and the boundary alone: they may all go."""
    known = {*inner, *boundary}
    return all(user in known for node in inner for user in node.users)


def erase(graph: torch.fx.Graph, nodes: Iterable[Node | None]) -> None:
    """Take out those nodes that nobody uses, in-place operations among them, users first."""
    chosen = set(nodes)
    for node in reversed(graph.nodes):
        if node in chosen and not node.users:
            graph.erase_node(node)
    graph.eliminate_dead_code()


def shape(node: Node) -> torch.Size:
    """The shape of a node's tensor."""
    return node.meta["val"].shape
