"""The results on the page: every number from a record."""


def test_results_are_means_with_their_intervals(read):
    # t(0.975, 1) = 12.7062, times 0.00707 / √2
    row = read.row("base")
    assert row[1:3] == ["0.0350 ± 0.0635"] * 2
    assert row[6] == "2 (torch, cpu)"
    assert read.row("sgd")[1:] == ["", "", "", "", "", "not run yet"]


def test_of_a_table_printed_and_ours_stand_side_by_side_with_the_verdict(read):
    head = ["Experiment"]
    for loss in ("training loss", "validation loss"):
        head += [f"{loss}, published", f"{loss}, ours"]
    table = read.rows.index([*head, "verdict"])
    rows = {row[0]: row[1:] for row in read.rows[table + 1 : table + 6]}
    assert rows["no_dropout"] == [
        "0.0300",
        "0.0300 ± 0.0000",
        "0.0312",
        "0.0312 ± 0.0000",
        "reproduced",
    ]
    assert rows["wide"] == [
        "0.0159",
        "0.5000 ± 0.0000",
        "0.0175",
        "0.6000 ± 0.0000",
        "not reproduced",
    ]
    assert rows["baseline"] == ["0.0858", "", "0.0726", "", "undecided"]


def test_a_confusion_matrix_has_counts_and_percent_over_seeds(html, read):
    # A cell holds both, and the style shows one.
    counts = ["142", "0", "60", "20", "55", "0", "713.5", "0", "9.5", "0"]
    percent = ["14.2%", "0.0%", "6.0%", "2.0%", "5.5%", "0.0%", "71.4%", "0.0%", "0.9%", "0.0%"]
    shirts = [count + share for count, share in zip(counts, percent, strict=True)]
    assert read.row("Shirt", "14214.2%")[1:] == shirts
    sentence = "Of 1000 test images of Shirt: Shirt 713.5 (71.4%); T-shirt/top 142 (14.2%); "
    assert f'data-words-en="{sentence}' in html


def test_of_the_transfer_each_arm_has_its_place(read):
    assert read.row("encoder pretrained")[1:] == ["89.55% ± 0.64%2 (torch, cpu)", "not run yet"]
    assert read.row("encoder random")[1:] == ["not run yet", "61.24%1 (torch, cpu)"]


def test_readings_are_ranked_and_those_that_have_undercut_come_last(read):
    ranked = [row for row in read.rows if row[-1].endswith(("×", "×undercut"))]
    # The experiment itself is among its readings; of `wide` it is the only run.
    assert [row[-1] for row in ranked] == ["1.00×", "2.00×", "1.04×undercut", "16.92×"]
    assert [ranked[0][0], ranked[-1][0]] == ["manolucos/no_dropout", "manolucos/wide"]
