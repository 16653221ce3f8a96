"""Tables from records; no number in them is typed by hand, and nothing here needs a framework."""

import re
from pathlib import Path

from keras_fmnist import results
from keras_fmnist.files import write_whole

COLUMNS = ("experiment", "what it is", "train loss", "val loss", "train acc", "val acc", "seeds")
SHOWN = ("train_eval_loss", "val_loss", "train_eval_accuracy", "val_accuracy")


def results_table(specs, records):
    """A Markdown table: each experiment's last epoch in evaluation mode, mean ± 95 % interval."""
    by_id = {}
    for record in records:
        by_id.setdefault(record.id, []).append(record)
    lines = [_row(COLUMNS), _row(["---"] * 2 + ["---:"] * 5)]
    for spec in specs:
        if spec.id not in by_id:
            lines.append(_row([f"`{spec.id}`", spec.summary, "", "", "", "", "not run yet"]))
            continue
        group = results.leading_group(by_id[spec.id])
        cells = [_cell(group, name) for name in SHOWN]
        where = f"{len(group)} on {group[0].backend}, {group[0].device}"
        lines.append(_row([f"`{spec.id}`", spec.summary, *cells, where]))
    return "\n".join(lines)


def _row(cells):
    return "| " + " | ".join(cells) + " |"


def _cell(group, name):
    if name not in group[0].metrics:
        return ""
    mean, half = results.mean_interval([record.metrics[name] for record in group])
    if name.endswith("accuracy"):
        return f"{mean:.2%}" if half is None else f"{mean:.2%} ± {half:.2%}"
    return f"{mean:.4f}" if half is None else f"{mean:.4f} ± {half:.4f}"


def fill(text, mark, content):
    """Puts content between `<!-- mark -->` and `<!-- /mark -->`.

    Raises:
        ValueError: the text has no such pair of markers.
    """
    pattern = re.compile(rf"(<!-- {mark} -->\n).*?(<!-- /{mark} -->)", re.DOTALL)
    filled, times = pattern.subn(lambda m: f"{m[1]}{content}\n{m[2]}", text)
    if times != 1:
        raise ValueError(f"there must be one pair of markers <!-- {mark} -->, not {times}")
    return filled


def write_readme(readme, specs, out):
    """Renews the table of results in a README from the records under `out`."""
    readme = Path(readme)
    table = results_table(specs, results.read_all(out))
    write_whole(readme, fill(readme.read_text(encoding="utf-8"), "results", table).encode())
