"""What `experiments/` hands to the library, which knows no experiment by itself."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Text:
    """The same in both languages of the page; backticks and double asterisks as in Markdown."""

    english: str
    spanish: str


@dataclass(frozen=True)
class Exhibit:
    """A figure or table that a report prints, and what of the records belongs beside it.

    The claims that name it stand beside it too; of a table each row has the verdict of the claim
    `<experiment>_row`, where there is one.

    Args:
        label: as the report numbers it: `figure 8`, `table 3`; empty for what only we show.
        kind: `curves`, `reconstructions`, `confusion`, `table` (last epoch), or `two_by_two`
            (encoder pretrained or random × everything trained or only the head).
        specs: the experiments that it shows.
        metric: of curves and tables, `loss` or `accuracy`.
    """

    label: str
    kind: str
    specs: tuple
    metric: str = "loss"


@dataclass(frozen=True)
class Catalogue:
    """Every experiment, and what the reports print and leave open about them.

    Args:
        reports: `{name: specs}`.
        claims: `Claim`s, what the reports say of their results.
        questions: `{spec of a printed row: specs}`: the readings of what a report leaves open, that
            are run and ranked (`assumptions`) but are no results.
        exhibits: `{name of a report: exhibits}`, in the report's order.
        deviations: `Text`s, what the reports leave open or get wrong, numbered from 1.
        spanish: `{English: Spanish}` for what the experiments say of themselves; what is missing
            is shown in English.
    """

    reports: dict
    claims: tuple = ()
    questions: dict = field(default_factory=dict)
    exhibits: dict = field(default_factory=dict)
    deviations: tuple = ()
    spanish: dict = field(default_factory=dict)

    @property
    def specs(self):
        """The experiments of all reports, in their order."""
        return [spec for group in self.reports.values() for spec in group]

    @property
    def readings(self):
        """The readings of all questions."""
        return [spec for group in self.questions.values() for spec in group]
