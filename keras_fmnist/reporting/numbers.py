"""Fills numbers into sentences: `{mansilla/base:val_loss}` becomes the measured loss."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from keras_fmnist.claims.claim import judge_claims
from keras_fmnist.records.groups import select_groups
from keras_fmnist.records.record import EXPLAINED, Record
from keras_fmnist.reporting.tables import format_cell, format_number, format_printed

if TYPE_CHECKING:
    from keras_fmnist.claims.catalogue import Catalogue
    from keras_fmnist.specs import Spec

NOT_RUN = "(not measured yet)"


def fill_numbers(text: str, catalogue: "Catalogue", records: Sequence[Record]) -> str:
    """Fills the numbers into a sentence, from the records that the tables show.

    Args:
        text: with placeholders such as

            - `{mansilla/base:val_loss}`: mean ± 95 % interval of any metric,
            - `{mansilla/base:val_loss range}`: lowest to highest seed,
            - `{mansilla/base:printed val_loss}`: what the report prints,
            - `{mansilla/base:seeds}`: how many there are, as `3 seeds`,
            - `{mansilla/sgd_far_larger:verdict}`: the verdict on a claim.
        catalogue: the experiments and claims that may be named.
        records: of any experiments.

    Raises:
        ValueError: an experiment, claim or metric is unknown.
    """
    return text.format_map(_Names(catalogue, records))


class _Names:
    """Looks up the name before the colon, `report/name` of an experiment or a claim."""

    def __init__(self, catalogue, records):
        self.specs = {spec.id: spec for spec in catalogue.specs}
        self.claims = {claim.id: claim for claim in catalogue.claims}
        self.groups = select_groups(records)
        self.records = records

    def __getitem__(self, name):
        if name in self.claims and name not in self.specs:
            (found,) = judge_claims([self.claims[name]], self.records)
            return _Claim(found.word)
        if name not in self.specs:
            raise ValueError(f"{name} is neither an experiment nor a claim")
        return _Experiment(self.specs[name], self.groups.get(name, []))


class _Claim:
    def __init__(self, verdict):
        self.verdict = verdict

    def __format__(self, what):
        if what != "verdict":
            raise ValueError(f"a claim has a `verdict`, but no {what}")
        return self.verdict


class _Experiment:
    def __init__(self, spec: "Spec", group: Sequence[Record]):
        self.spec, self.group = spec, group

    def __format__(self, what):
        if what == "seeds":
            return f"{len(self.group)} seed{'s' * (len(self.group) != 1)}"
        if what.startswith("printed "):
            name = what.removeprefix("printed ")
            if name not in self.spec.published:
                raise ValueError(f"{self.spec.id} has no {what}")
            return format_printed(self.spec, name)
        name = what.removesuffix(" range")
        if name not in self.metrics:
            raise ValueError(f"{self.spec.id} has no {name}; it has {', '.join(self.metrics)}")
        values = [record.measured(name) for record in self.group]
        if not values or None in values:  # older records lack some metrics
            return NOT_RUN
        if name == what:
            return format_cell(self.group, name)
        ends = (format_number(end, name) for end in (min(values), max(values)))
        return " to ".join(dict.fromkeys(ends))

    @property
    def metrics(self) -> list[str]:
        """The metrics that can be shown for this experiment."""
        of_images = ["dead_logits"] if self.spec.is_classifier else [*EXPLAINED]
        prefixes = ("", "train_eval_", "val_")
        return [f"{prefix}{name}" for name in self.spec.metrics for prefix in prefixes] + of_images
