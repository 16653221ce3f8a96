"""Where in a report something stands: sections, figures and tables."""

from dataclasses import dataclass

from keras_fmnist.claims.quantities import WORDS
from keras_fmnist.claims.texts import Text, join_texts, same_in_both


@dataclass(frozen=True)
class Place:
    """Sections, figures and tables by their numbers, as the report gives them.

    `report` is named where it is another one than the claim's.
    """

    sections: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    report: str = ""

    @property
    def labels(self) -> set[str]:
        """`{"figure 3", "table 4"}`: its exhibits by the names that they have on the page."""
        return {f"figure {number}" for number in self.figures} | {
            f"table {number}" for number in self.tables
        }

    @property
    def words(self) -> Text:
        """`sections 4.1 and 5, figure 7`."""
        parts = [same_in_both(self.report)] if self.report else []
        for kind in ("section", "figure", "table"):
            if numbers := getattr(self, f"{kind}s"):
                key = kind if len(numbers) == 1 else f"{kind}s"
                parts.append(WORDS(key, numbers=_list(numbers)))
        return join_texts(parts, ", ")


def _list(numbers):
    *first, last = (same_in_both(number) for number in numbers)
    return WORDS("and", first=join_texts(first, ", "), last=last) if first else last


def at(sections: str = "", figures: str = "", tables: str = "", report: str = "") -> Place:
    """A `Place`, the numbers of each kind in one text: `at(sections="4.2 5", figures="8")`."""
    return Place(tuple(sections.split()), tuple(figures.split()), tuple(tables.split()), report)
