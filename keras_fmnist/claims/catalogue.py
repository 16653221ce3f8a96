"""What `experiments/` hands to the library, which knows no experiment by itself."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from keras_fmnist.claims.texts import Text

if TYPE_CHECKING:
    from keras_fmnist.claims.alternatives import Alternatives
    from keras_fmnist.claims.claim import Claim
    from keras_fmnist.specs import AutoencoderSpec, ClassifierSpec

    Specs = tuple[AutoencoderSpec | ClassifierSpec, ...]


@dataclass(frozen=True)
class Exhibit:
    """A figure or table that a report prints, and what of the records belongs beside it.

    The claims that name it stand beside it too; of a table each row has the verdict of the claim
    `<experiment>_row`, where there is one.

    Args:
        label: as the report numbers it: `figure 8`, `table 3`; empty for what only we show.
        kind: `curves`, `reconstructions`, `confusion`, `table` (last epoch), `two_by_two` (encoder
            pretrained or random × everything trained or only the head), `without_relu` (the same
            without a ReLU on the logits) or `dead_logits` (what that ReLU costs).
        specs: the experiments that it shows.
        metric: of curves and tables, `loss` or `accuracy`.
    """

    label: str
    kind: str
    specs: "Specs"
    metric: str = "loss"


@dataclass(frozen=True)
class Live:
    """The nets that run in the page that answers.

    Args:
        classifiers: whose probabilities stand side by side.
        autoencoders: whose reconstructions do, and whose codes are walked through; what dropout
            does is shown in the first.
    """

    classifiers: "tuple[ClassifierSpec, ...]" = ()
    autoencoders: "tuple[AutoencoderSpec, ...]" = ()


@dataclass(frozen=True)
class Catalogue:
    """Every experiment, and what the reports print and leave open about them.

    Args:
        reports: `{name: specs}`.
        claims: `Claim`s, what the reports say of their results.
        questions: `{spec of a printed row: specs}`: the readings of what a report leaves open, that
            are run and ranked (`assumptions`) but are no results.
        alternatives: an `Alternatives`: ways to fill a gap for which no number is printed.
        findings: `Text`s, what the ranks of those readings say.
        exhibits: `{name of a report: exhibits}`, in the report's order.
        deviations: `Text`s, what the reports leave open or get wrong, numbered from 1.
        summaries: `{experiment's id: Text}`, what the experiments say of themselves; one that is
            missing is shown in English alone.
        headlines: what came out, a line each, for the README; numbers stand in them as
            `{mansilla/base:val_loss}` (see `reporting.numbers`).
        main_results: the experiments whose rows the README shows.
        main_job: the experiments that `make run` trains.
        benched: what `bench` times where none is named.
        classifier: what `predict` takes where none is named.
        live: the nets that run in the page that answers.
    """

    reports: "dict[str, Specs]"
    claims: "tuple[Claim, ...]" = ()
    questions: "dict[AutoencoderSpec | ClassifierSpec, Specs]" = field(default_factory=dict)
    alternatives: "Alternatives | None" = None
    findings: tuple[Text, ...] = ()
    exhibits: dict[str, tuple[Exhibit, ...]] = field(default_factory=dict)
    deviations: tuple[Text, ...] = ()
    summaries: dict[str, Text] = field(default_factory=dict)
    headlines: tuple[str, ...] = ()
    main_results: "Specs" = ()
    main_job: "Specs" = ()
    benched: "Specs" = ()
    classifier: "ClassifierSpec | None" = None
    live: Live = Live()

    @property
    def specs(self) -> "list[AutoencoderSpec | ClassifierSpec]":
        """The experiments of all reports, in their order."""
        return [spec for group in self.reports.values() for spec in group]

    def find_shown(self, kind: str) -> "Specs":
        """The experiments of all exhibits of one kind."""
        exhibits = [exhibit for group in self.exhibits.values() for exhibit in group]
        return tuple(s for exhibit in exhibits if exhibit.kind == kind for s in exhibit.specs)

    @property
    def readings(self) -> "list[AutoencoderSpec | ClassifierSpec]":
        """The readings of all questions, and what the alternatives add to the experiments."""
        ways = self.alternatives.ways.values() if self.alternatives else ()
        found = [spec for group in (*self.questions.values(), *ways) for spec in group]
        return [spec for spec in found if spec not in self.specs]
