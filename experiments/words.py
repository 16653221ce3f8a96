"""What the experiments say, in both languages of the page: `texts.toml`, by key."""

from keras_fmnist.claims.claim import Claim
from keras_fmnist.claims.places import Place
from keras_fmnist.claims.texts import Text, Texts

WORDS = Texts(__package__)


def declare(
    report: str,
    name: str,
    where: Place,
    values: dict[str, str | Text] | None = None,
    *,
    key: str | None = None,
    **rule: object,
) -> Claim:
    """A claim with its words: what it is taken to mean, and what is printed.

    Args:
        report: whose claim it is.
        name: within the report.
        where: it stands there.
        values: what its words leave blank.
        key: of its words, where claims share them; its name otherwise.
        rule: the other arguments of a `Claim`.
    """
    values = values or {}
    key = f"{report}/{key or name}"
    return Claim(
        name=name,
        claim=WORDS(key, **values),
        published=WORDS(f"{key} published", **values),
        where=where,
        **rule,
    )
