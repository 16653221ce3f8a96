"""Tables and sentences of the documents: every number from a record."""

import pytest

from experiments import mansilla
from experiments.__main__ import CATALOGUE
from experiments.manolucos import NO_DROPOUT
from experiments.mansilla import BASE, CLASSIFIER_FULL, SPECS, UNTRAINED
from keras_fmnist.claims import quantities
from keras_fmnist.claims.alternatives import Alternatives, Statement
from keras_fmnist.reporting import tables
from keras_fmnist.specs import override
from tests.helpers.claim_cases import ALIKE, DETAIL, RISES
from tests.helpers.worlds import both, rising_later


def cells(table):
    return {
        row[1]: row[2:-1]
        for row in ([cell.strip() for cell in line.split("|")] for line in table.splitlines())
    }


def test_the_table_shows_the_last_epoch_in_evaluation_mode(make_record):
    metrics = {"loss": 9, "train_eval_loss": 0.01234, "val_loss": 0.5, "accuracy": 9}
    classifier = make_record(
        CLASSIFIER_FULL,
        metrics=metrics | {"train_eval_accuracy": 0.9, "val_accuracy": 0.89514, "dead_logits": 3},
    )
    table = tables.format_results(
        (BASE, CLASSIFIER_FULL),
        [make_record(BASE, metrics=metrics | {"mean_image_loss": 0.8}), classifier],
    )
    assert cells(table) == {
        "experiment": [
            *("what it is", "train loss", "val loss", "explained", "train acc", "val acc", "seeds")
        ],
        "---": ["---"] + 6 * ["---:"],
        "`mansilla/base`": [BASE.summary, "0.0123", "0.5000", "37.5%", "", "", "1 (torch, cpu)"],
        "`mansilla/classifier_full`": [
            *(CLASSIFIER_FULL.summary, "0.0123", "0.5000"),
            *("", "90.00%", "89.51%", "1 (torch, cpu)"),
        ],
    }


def test_below_a_number_stands_what_the_report_prints(make_record):
    rows = cells(tables.format_results((NO_DROPOUT,), []))
    assert rows["`manolucos/no_dropout`"][1:] == [
        *("printed 0.0300", "printed 0.0312", "", "", "", "not run yet")
    ]
    ours = make_record(NO_DROPOUT, metrics={"train_eval_loss": 0.029, "val_loss": 0.03})
    rows = cells(tables.format_results((NO_DROPOUT,), [ours]))
    assert rows["`manolucos/no_dropout`"][1:3] == [
        *("0.0290<br>printed 0.0300", "0.0300<br>printed 0.0312")
    ]


def test_several_seeds_are_shown_as_mean_and_interval(make_record):
    records = []
    for seed, loss in enumerate((0.01, 0.02, 0.03)):
        values = {"train_eval_loss": loss, "val_loss": loss}
        values |= {"train_eval_accuracy": 10 * loss, "val_accuracy": 10 * loss}
        records.append(make_record(CLASSIFIER_FULL, seed, metrics=values))
    row = cells(tables.format_results((CLASSIFIER_FULL,), records))["`mansilla/classifier_full`"]
    # t(0.975, 2) = 4.302653, times 0.01 / √3
    assert row[1:3] == ["0.0200 ± 0.0248"] * 2
    assert row[4:6] == ["20.00% ± 24.84%"] * 2
    assert row[6] == "3 (torch, cpu)"


def test_what_was_not_run_says_so_in_its_place(make_record):
    rows = cells(tables.format_results(SPECS, [make_record(BASE)]))
    assert list(rows)[2:] == [f"`{spec.id}`" for spec in SPECS]
    for spec in SPECS:
        if spec is not BASE:
            assert rows[f"`{spec.id}`"] == [spec.summary, "", "", "", "", "", "not run yet"]


def test_a_thousand_seeds_cost_what_their_records_took(make_record):
    *base, head = (
        # Beside others it took long; what it took of the processor counts.
        make_record(spec, seed, seconds={"total": 9e9, "cpu": cpu, "per_epoch": []})
        for spec, seed, cpu in ((BASE, 0, 3600.0), (BASE, 1, 7200.0), (CLASSIFIER_FULL, 0, 1800.0))
    )
    older = make_record(UNTRAINED, seconds={"total": 9e9, "per_epoch": []})
    on_gpu = make_record(BASE, 2, device="gpu", seconds={"total": 9.0, "cpu": 9.0, "per_epoch": []})
    assert tables.describe_cost([on_gpu, older]) == ""
    sentence = tables.describe_cost([*base, head, on_gpu, older])
    # (5 400 + 1 800) s a seed
    assert "A seed of the 2 experiments" in sentence
    assert "1000 seeds cost 2000 core-hours: 125 hours" in sentence
    # base, and the classifier that waits for it
    assert sentence.endswith(
        "never less than the 120 minutes of `mansilla/classifier_full` and what it waits for."
    )
    alone = tables.describe_cost([head])
    assert alone.endswith("the 30 minutes of `mansilla/classifier_full` and what it waits for.")


def test_runs_without_keras_do_not_count_in_what_the_study_costs(make_record):
    ours, native = (
        [
            make_record(BASE, seed, backend=side, seconds={"total": 0, "cpu": cpu, "per_epoch": []})
            for seed in seeds
        ]
        for side, cpu, seeds in (("torch", 600.0, (0,)), ("pytorch", 9e9, (0, 1)))
    )
    for say in (tables.describe_cost, lambda records: tables.describe_main_job([BASE], records)):
        assert say(ours + native) == say(ours) != ""


def test_the_main_job_costs_what_its_runs_took_of_the_processor(make_record):
    specs = (BASE, CLASSIFIER_FULL)
    seconds = ((BASE, 0, 100.0), (BASE, 1, 140.0), (CLASSIFIER_FULL, 0, 180.0), (UNTRAINED, 0, 9e9))
    records = [
        make_record(spec, seed, seconds={"total": 9e9, "cpu": cpu, "per_epoch": []})
        for spec, seed, cpu in seconds
    ]
    said = tables.describe_main_job(specs, records)
    words = (
        "In the study these 2 trainings took 5 minutes of one CPU core, as a mean over the seeds."
    )
    assert said == words
    assert tables.describe_main_job(specs, []) == ""


def test_the_speed_table_has_a_ratio_between_its_quartiles_and_a_gap_where_none_was_taken():
    times = {"ours": 41.157, "native": 63.4, "stock": 79.46}
    quartiles = {"native_over_ours": [1.266, 1.833, 2.795], "stock_over_ours": [1.9, 2.0, 2.1]}
    found = {"experiments": {"mansilla/base": {"ms_per_step": times, "quartiles": quartiles}}}
    head, _, row = tables.format_speed({"cpu": found}).splitlines()
    assert [cell.strip() for cell in head.split("|")[1:4]] == [
        *("experiment", "ours", "stock Keras `fit`"),
    ]
    assert [cell.strip() for cell in row.split("|")[1:-1]] == [
        *("`mansilla/base`, cpu", "41.2 ms", "2.00 × (1.90 to 2.10)", "1.83 × (1.27 to 2.79)"),
    ]
    graph = {"ms_per_step": {"ours": 1.0, "cudagraph": 0.9}, "quartiles": {}}
    elsewhere = {"ms_per_step": {"stock": 1.0}, "quartiles": {}}  # not on torch
    both = {"cpu": found, "gpu": {"experiments": {"a/b": graph, "a/c": elsewhere}}}
    head, _, *rows = tables.format_speed(both).splitlines()
    assert [cell.strip() for cell in head.split("|")[3:-1]] == [
        *("stock Keras `fit`", "native loop", "native CUDA graph"),
    ]
    assert len(rows) == 2


def test_the_kills_are_told_in_a_sentence_and_none_where_nothing_was_killed():
    counted = {"kills": 200, "resumed": 199, "identical": 198, "epochs_lost": 28.17}
    keras = {"kills": 150, "resumed": 60, "identical": 24}
    sentence = tables.describe_kills({"kill": {**counted, "backup_and_restore": keras}})
    assert sentence == (
        "Of 200 kills 199 were resumed and 198 ended identical, with 28 epochs run twice in all; "
        "of 150 under `BackupAndRestore` 60 were resumed and 24 ended identical."
    )
    assert tables.describe_kills({}) == ""


def test_the_table_has_a_row_a_claim(show_run):
    records = [show_run(mansilla.BASE, seed, **both(rising_later)) for seed in range(8)]
    claims = [RISES, ALIKE, DETAIL]
    counted = tables.describe_verdicts(claims, records)
    assert counted == (
        "3 claims: 1 reproduced, 0 consistent with one run, 0 varies with the seed, "
        "0 not reproduced, 2 undecided."
    )
    first, second = tables.format_claims(claims, records).split("\n\n### manolucos\n\n")
    second, _, thresholds = second.partition("\n\n### ")
    heading, empty, *lines = first.splitlines()
    assert (heading, empty) == ("### mansilla", "")
    lines += second.splitlines()[2:]
    assert lines[0] == "| claim | published | ours | verdict | later seeds | registered |"
    assert [line.count("|") for line in lines] == [7] * 5
    printed = f"{RISES.published.english} ({RISES.where.words.english})"
    assert lines[2].startswith(f"| {RISES.claim.english} | {printed} |")
    commit = RISES.registered[:7]
    assert lines[2].endswith(f"]<br>n = 8 | reproduced | reproduced | `{commit}` |")
    assert lines[4].endswith(f"| not run yet | undecided | undecided | `{commit}` |")
    # The margin of "no significant change" is a number that we gave.
    assert thresholds.splitlines() == [
        "With half and double the numbers that words were given",
        "",
        "| claim | number | verdict | half | double |",
        "| --- | --- | --- | --- | --- |",
        "| `mansilla/dropout_01_alike` | 0.1 | undecided | undecided | undecided |",
    ]


RANKED = {"loss": 0.03, "val_loss": 0.0312, "train_eval_loss": 0.0317}


def test_the_ranking_has_a_folded_table_a_printed_row_with_the_nearest_reading_first(make_record):
    row = NO_DROPOUT
    near, far = CATALOGUE.questions[row][-2:]
    assert near.epochs == far.epochs == row.epochs
    records = [
        make_record(row, metrics=RANKED),
        make_record(far, metrics={name: 2 * loss for name, loss in RANKED.items()}),
        make_record(near, metrics={name: 1.1 * loss for name, loss in RANKED.items()}),
    ]
    text = tables.format_ranking(CATALOGUE.questions, records)
    first, summary, blank, head, _line, *rows, empty, last = text.splitlines()
    assert (first, blank, empty, last) == ("<details>", "", "", "</details>")
    counted = f"2 of {len(CATALOGUE.questions[row])} other readings run"
    assert summary == f"<summary>{row.id}, printed 0.0300 / 0.0312; {counted}</summary>"
    assert head == "| reading | epochs | as it ran | evaluated | validation | off by |"
    assert rows == [
        f"| {row.id} | 30 | 0.0300 | 0.0317 | 0.0312 | 1.00 |",
        f"| {near.summary} | 30 | 0.0330 | 0.0349 | 0.0343 | 1.10 |",
        f"| {far.summary} | 30 | 0.0600 | 0.0634 | 0.0624 | 2.00 |",
    ]
    assert tables.format_ranking(CATALOGUE.questions, []) == ""


def test_the_defaults_are_a_table_and_nothing_where_compare_has_not_run():
    row = {"what": "Adam's ε", "keras": "1e-07", "pytorch": "1e-08", "ours": "1e-08"}
    assert tables.format_defaults(
        {"a": {"defaults": [row]}, "b": {"defaults": []}}
    ).splitlines() == [
        "|  | Keras | PyTorch | here |",
        "| --- | --- | --- | --- |",
        "| Adam's ε | 1e-07 | 1e-08 | 1e-08 |",
    ]
    assert tables.format_defaults({}) == ""


PARITY = {
    "experiment": "mansilla/base",
    "backend": "torch",
    "rows": [{"max_abs": over, "tolerance": 1.0} for over in (0.5, 1.0, 1.5, None)],
    "equivalence": {"seeds": 5, "epochs": 3, "examples": 6000, "verdict": "equivalent"},
}


@pytest.mark.parametrize(
    ("more", "end"),
    [
        ({}, "the verdict is: equivalent."),
        (
            {"rounding": {"ours": 0.0241, "native": 0.0249}},
            "ours and native end 0.024 apart, and native ends 0.025 apart from itself where each "
            "batch comes in another order.",
        ),
    ],
    ids=["older", "with rounding"],
)
def test_parity_counts_what_is_within_its_tolerance(more, end):
    said = tables.describe_parity({"mansilla-base": PARITY | more})
    assert said.startswith("`mansilla/base` on torch: 2 of 4 comparisons")
    assert "5 seeds of 3 epochs on 6000 images" in said
    assert said.endswith(end)
    assert tables.describe_parity({}) == ""


def test_the_alternatives_are_a_table_with_their_sums_below(make_record):
    low = Statement("figure 1", "base ends low", quantities.final("val_loss").of, (0,), high=0.5)
    less = Statement("figure 2", "base ends lower", quantities.final("val_loss").of, (0,), high=0.3)
    other = override(BASE, {"deconv2": "k4s2"})
    gap = Alternatives("a gap", {"ours": (BASE,), "other": (other,)}, (low, less))
    records = [
        make_record(BASE, seed, metrics={"val_loss": loss}) for seed, loss in enumerate((0.2, 0.6))
    ]
    assert tables.format_alternatives(gap, records).splitlines() == [
        "| said of | what | ours | other |",
        "| --- | --- | --- | --- |",
        "| figure 1 | base ends low | 1 of 2 |  |",
        "| figure 2 | base ends lower | 1 of 2 |  |",
        "|  | all of it | 2 of 4 |  |",
    ]
