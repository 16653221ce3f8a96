"""Which commit registered a claim's rule: stored as data, for an installed package has no history.

A rule has a digest of all that decides: its experiments by name, quantities, bounds, seeds. What is
stored holds for a claim only as long as its digest does; a test compares all of them.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace

from keras_fmnist.claims.claim import Claim
from keras_fmnist.claims.quantities import Quantity

# `{commit: {claim's id: digest of its rule}}`
Registered = Mapping[str, Mapping[str, str]]


def digest_rule(claim: Claim) -> str:
    """Twelve hexadecimal digits of all that decides a claim."""
    decides = {"holds": claim.holds, "elsewhere": claim.elsewhere}
    words = f"{_spell(decides)} seeds {claim.seeds} seen {claim.seen}"
    return hashlib.sha256(words.encode()).hexdigest()[:12]


def _spell(part):
    """A rule as text; an experiment by its name, for its settings are no part of the rule."""
    if hasattr(part, "id"):
        return part.id
    if isinstance(part, Quantity):
        return part.name
    if is_dataclass(part):
        inside = ", ".join(f"{f.name}={_spell(getattr(part, f.name))}" for f in fields(part))
        return f"{type(part).__name__}({inside})"
    if isinstance(part, tuple):
        return "[" + ", ".join(map(_spell, part)) + "]"
    if isinstance(part, dict):
        return _spell(tuple(f"{key}: {_spell(value)}" for key, value in part.items()))
    return str(part)


def with_registration(claims: Sequence[Claim], registered: Registered) -> tuple[Claim, ...]:
    """The claims, each with the commit that registered its rule, None where none has."""
    commits = {
        (name, digest): commit
        for commit, rules in registered.items()
        for name, digest in rules.items()
    }
    return tuple(
        replace(claim, registered=commits.get((claim.id, digest_rule(claim)))) for claim in claims
    )


def add_claims(
    claims: Sequence[Claim], registered: Registered, commit: str
) -> dict[str, dict[str, str]]:
    """What is registered once a commit has been noted for what has none.

    Args:
        claims: all of them; what else is registered is dropped.
        registered: so far.
        commit: the one in which the rules stand now.
    """
    found = {one: {} for one in (*registered, commit)}
    for claim in claims:
        found[claim.registered or commit][claim.id] = digest_rule(claim)
    return {one: rules for one, rules in found.items() if rules}


def format_registered(registered: Registered) -> str:
    """What stands in a source file after `REGISTERED:`."""
    lines = [" dict[str, dict[str, str]] = {"]
    for commit, rules in registered.items():
        lines.append(f'    "{commit}": {{')
        lines += [f'        "{name}": "{digest}",' for name, digest in rules.items()]
        lines.append("    },")
    return "\n".join([*lines, "}", ""])
