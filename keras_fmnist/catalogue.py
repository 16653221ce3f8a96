"""What `experiments/` hands to the library, which knows no experiment by itself."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Catalogue:
    """Every experiment, what the reports leave open about them, and what they claim.

    Args:
        reports: `{name: specs}`.
        questions: `{id of a printed row: specs}`: the readings of what a report leaves open, which
            are run and ranked (`assumptions`) but are no results.
        claims: what the reports claim about their experiments, see `claims`.
    """

    reports: dict
    questions: dict = field(default_factory=dict)
    claims: tuple = ()

    @property
    def specs(self):
        """The experiments of all reports, in their order."""
        return [spec for group in self.reports.values() for spec in group]

    @property
    def readings(self):
        """The readings of all questions."""
        return [spec for group in self.questions.values() for spec in group]
