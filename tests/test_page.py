"""The page: every number from a record, both languages whole, nothing asked of a network."""

import base64
import dataclasses
import io
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import made_up_study
import numpy as np
import pytest
from PIL import Image

from experiments import spanish_claims
from experiments.__main__ import CATALOGUE
from experiments.mansilla import BASE, UNTRAINED
from keras_fmnist import page, results
from keras_fmnist.data import CLASS_NAMES
from keras_fmnist.page import charts, content, evidence, pictures, spaces, words

ROOT = Path(__file__).resolve().parent.parent


class Reader(HTMLParser):
    """What a reader of English sees: the rows of all tables, texts, and every link."""

    def __init__(self, html):
        super().__init__()
        self.rows, self.texts, self.links, self.silent = [], [], [], []
        self.in_cell = False
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.links += [(tag, attributes[name]) for name in ("src", "href") if name in attributes]
        if tag not in ("meta", "input", "img", "br"):
            foreign = attributes.get("lang") == "es" or tag in ("script", "style")
            self.silent.append(foreign or bool(self.silent and self.silent[-1]))
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
            self.in_cell = True

    def handle_endtag(self, tag):
        self.silent.pop()
        if tag in ("td", "th"):
            self.rows[-1][-1] = " ".join(self.rows[-1][-1].split())
            self.in_cell = False

    def handle_data(self, data):
        if self.silent and self.silent[-1]:
            return
        self.texts.append(data)
        if self.in_cell:
            self.rows[-1][-1] += data

    def row(self, *starts):
        """The first row whose first cells begin so."""
        return next(
            row
            for row in self.rows
            if len(row) >= len(starts)
            and all(cell.startswith(start) for cell, start in zip(row, starts, strict=False))
        )


@pytest.fixture(scope="module")
def study(tmp_path_factory, make_record, put_record):
    out = tmp_path_factory.mktemp("study")
    made_up_study.leave(out, make_record, put_record)
    return out


@pytest.fixture(scope="module")
def html(study):
    return page.render(CATALOGUE, results.read_all(study), study)


@pytest.fixture(scope="module")
def read(html):
    return Reader(html)


# --- numbers ---


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


def test_every_claim_stands_on_the_page_with_its_verdict_and_once_beside_its_figure(html):
    rows = content.verdicts(CATALOGUE, [])
    assert len(rows) == len(CATALOGUE.claims) > 40
    for name in CATALOGUE.reports:
        shown = page._report(name, CATALOGUE, {}, rows)
        found = [row["id"] for exhibit in shown["exhibits"] for row in exhibit["claims"]]
        found += [row["id"] for row in shown["claims"]]
        assert set(found) == {row["id"] for row in rows if row["report"] == name}
        labels = {row["id"]: row["labels"] for row in rows}
        assert all(found.count(one) <= len(labels[one]) for one in found)
    for claim in CATALOGUE.claims:
        assert str(words.both(words.Text(claim.claim, CATALOGUE.spanish[claim.claim]))) in html


@pytest.mark.parametrize(
    ("where", "labels"),
    [
        ("section IV, figure 3", {"figure 3"}),
        ("section 4.2, figure 8, table 5", {"figure 8", "table 5"}),
        ("sections 4.2 and 5, table 4", {"table 4"}),
        ("tables 4 and 5", {"table 4", "table 5"}),
        ("section VI", {""}),
    ],
)
def test_a_claim_names_figures_and_tables(where, labels):
    assert content._labels(where) == labels


def test_every_figure_and_table_that_a_claim_names_is_shown():
    for row in content.verdicts(CATALOGUE, []):
        shown = {exhibit.label for exhibit in CATALOGUE.exhibits[row["report"]]}
        assert row["labels"] - {""} <= shown


def test_a_confusion_matrix_has_counts_and_percent_over_seeds(html, read):
    # A cell holds both, and the style shows one.
    counts = ["142", "0", "60", "20", "55", "0", "713.5", "0", "9.5", "0"]
    percent = ["14.2%", "0.0%", "6.0%", "2.0%", "5.5%", "0.0%", "71.4%", "0.0%", "0.9%", "0.0%"]
    shirts = [count + share for count, share in zip(counts, percent, strict=True)]
    assert read.row("Shirt", "14214.2%")[1:] == shirts
    said = "Of 1000 test images of Shirt: Shirt 713.5 (71.4%); T-shirt/top 142 (14.2%); "
    assert f'data-words-en="{said}' in html


def test_of_the_transfer_each_arm_has_its_place(read):
    assert read.row("encoder pretrained")[1:] == ["89.55% ± 0.64%2 (torch, cpu)", "not run yet"]
    assert read.row("encoder random")[1:] == ["not run yet", "61.24%1 (torch, cpu)"]


def test_parity_names_the_tensor_nearest_to_its_tolerance(read):
    assert read.row("output")[1:] == ["2", "6e-07conv2", "1e-05", "within"]
    assert read.row("gradient")[1:] == ["1", "0.003conv1", "1e-06", "over"]
    assert read.row("loss")[4] == "over"  # what is no number is over any tolerance
    assert "0.0874 (sd 0.0145) against 0.0885 (sd 0.0147)" in " ".join(" ".join(read.texts).split())


def test_speed_is_held_to_ours_and_elsewhere_to_stock(read):
    native = ("native loop", "native, DataLoader", "native, torch.compile")
    table = read.rows.index(["Experiment", "ours", "stock Keras fit", *native])
    assert read.rows[table + 1] == [
        *("mansilla/base", "41.2", "79.5", "63.41.83× (1.27 to 2.79)", "56.0", "70.3")
    ]
    table = read.rows.index(["Experiment", "stock Keras fit", "native loop"])
    assert read.rows[table + 1] == ["mansilla/base", "44.2", "26.20.58× (0.58 to 0.61)"]


def test_how_the_cost_grows_stands_there_where_it_was_measured(read, study, tmp_path):
    head = read.rows.index(["what it takes", "ours", "stock Keras fit"])
    assert read.rows[head + 1 : head + 4] == [
        ["ms an image, batches of 10", "0.70", "1.73"],
        ["s an epoch of 60 000 images", "15.2", "31.7"],
        ["MiB at the peak, data and frameworks included", "767", "765"],
    ]
    assert "How the cost of mansilla/base grows, and its memory, on torch" in read.texts
    without = {k: v for k, v in made_up_study.BENCHMARK.items() if k != "growth"}
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "cpu.json").write_text(json.dumps(without))
    assert evidence.speed(tmp_path)[0]["whole"] is None


def test_where_no_system_says_the_memory_the_growth_stands_there_without_it(tmp_path):
    (tmp_path / "benchmarks").mkdir()
    unmeasured = made_up_study.BENCHMARK | {"peak_memory_mib": {}, "backend": "jax"}
    (tmp_path / "benchmarks" / "cpu.json").write_text(json.dumps(unmeasured))
    whole = evidence.speed(tmp_path)[0]["whole"]
    assert whole["columns"] == ["ours", "stock"]
    assert [cells for _, cells in whole["rows"]] == [["0.70", "1.73"], ["15.2", "31.7"]]
    assert whole["caption"].english.endswith("on jax")


def test_readings_are_ranked_and_those_that_have_undercut_come_last(read):
    ranked = [row for row in read.rows if row[-1].endswith(("×", "×undercut"))]
    assert [row[-1] for row in ranked] == ["1.00×", "2.00×", "1.04×undercut"]
    assert ranked[0][0] == "manolucos/no_dropout"  # the experiment itself, among its readings


def test_the_numbered_deviations_are_those_of_the_readme(html):
    listed = re.search(r'<ol class="deviations">(.*?)</ol>', html, re.S)[1]
    assert listed.count("<li>") == len(CATALOGUE.deviations) == 10
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for number, one in enumerate(CATALOGUE.deviations, 1):
        assert f"\n{number}. {one.english}\n" in readme
        assert f"<li>{words.both(one)}</li>" in listed


def test_the_checklist_is_open_where_a_record_does_not_say(make_record):
    def states(*records):
        rows = evidence.checklist(CATALOGUE, records, content.leading(records))
        return {item.removeprefix("check_"): said for item, said, _ in rows}

    one, two = (make_record(BASE, seed) for seed in range(2))
    assert states(one, two) == {
        **dict.fromkeys(("seeds", "settings", "versions", "commit", "data", "device"), True),
        **{"weights": True, "time": True, "runs": False, "statistic": False},
    }
    assert not states(one)["seeds"]
    for name, changes in {
        "commit": {"commit": "0" * 40 + "-dirty"},
        "data": {"data_sha256": "e" * 64},
        "weights": {"weights_sha256": {"initial": "b" * 64}},
    }.items():
        assert not states(one, dataclasses.replace(two, **changes))[name], name
    assert not states(one, dataclasses.replace(two, commit=None))["commit"]


def test_the_checklist_says_what_the_records_hold(read):
    assert read.row("Data")[2] == "SHA-256 " + "a" * 64
    assert read.row("Versions")[2] == "keras 3.15.1, python 3.11.2"
    assert read.row("Code")[2] == "0" * 12 + " " + "f" * 12 + "-dirty"
    assert read.row("Seeds")[2].startswith("1–3 an experiment")


def test_every_run_has_its_command_its_settings_and_what_it_took(read, study):
    commands = {
        record.command for record in results.read_all(study) if record.report != "assumptions"
    }
    cells = {cell for row in read.rows for cell in row}
    assert len(commands) >= 6
    assert commands <= cells
    assert read.row("0", next(iter(sorted(commands))))[2] == "0.5"  # 30.5 s
    assert any("batch_size 100, batchnorm false" in text for text in read.texts)


# --- plots and pictures ---


def test_curves_are_means_with_the_least_and_the_greatest(make_record):
    records = [
        make_record(
            BASE, seed, history={"loss": [a, b], "train_eval_loss": [1, 1], "val_loss": [2, 2]}
        )
        for seed, (a, b) in enumerate([(3.0, 2.0), (5.0, 1.0)])
    ]
    ran, evaluated, validation = charts.curves({"base": records}, "loss")
    assert (ran["mean"], ran["low"], ran["high"]) == ([4.0, 1.5], [3.0, 1.0], [5.0, 2.0])
    assert [line["curve"] for line in (ran, evaluated, validation)] == [
        "as_it_ran",
        "evaluated",
        "validation",
    ]
    several = charts.curves({"base": records, "untrained": records}, "loss")
    assert [(line["who"], line["curve"]) for line in several] == [
        (who, curve) for who in ("base", "untrained") for curve in ("evaluated", "validation")
    ]


def filled(plot):
    """What the script makes of a plot, as far as it is JSON."""
    numbers = {"few": 2, "many": 5, "height": 330}
    return json.loads(re.sub(r"\$\{(few|many|height)\}", lambda m: str(numbers[m[1]]), plot))


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_a_plot_holds_the_numbers_on_the_scale_that_is_asked_for(make_record, scale):
    record = make_record(BASE)
    lines = charts.curves({"base": [record]}, "loss")
    (figure,) = filled(charts.plot(lines, "loss", "mean squared error", scale))["doc"]["roots"]
    assert (
        figure["attributes"]["y_scale"]["name"]
        == {"linear": "LinearScale", "log": "LogScale"}[scale]
    )
    source = figure["attributes"]["renderers"][0]["attributes"]["data_source"]
    columns = dict(source["attributes"]["data"]["entries"])
    assert columns["epoch"] == [1, 2, 3]
    assert columns["mean0"] == record.history["loss"]
    assert columns["mean2"] == record.history["val_loss"]


def test_experiments_of_different_length_share_a_plot(make_record):
    long, short = make_record(BASE), make_record(UNTRAINED)
    short = dataclasses.replace(
        short, history={name: values[:1] for name, values in short.history.items()}
    )
    lines = charts.curves({"base": [long], "untrained": [short]}, "loss")
    assert "mean3" in charts.plot(lines, "loss", "mean squared error", "linear")


@pytest.mark.parametrize("axes", ["pca", "tsne"])
def test_a_map_has_every_image_in_its_place_under_the_name_of_its_class(axes):
    space = made_up_study.latent_space()
    points = getattr(space, axes)
    (figure,) = filled(spaces.scatter(space, points))["doc"]["roots"]
    found = {}
    for renderer in figure["attributes"]["renderers"]:
        columns = dict(renderer["attributes"]["data_source"]["attributes"]["data"]["entries"])
        for row, *place in zip(columns["row"], columns["x"], columns["y"], strict=True):
            found[row] = (renderer["attributes"]["name"], *place)
    names = [CLASS_NAMES[label] for label in space.labels]
    assert len(found) == len(names) == 40
    assert found == dict(enumerate(zip(names, points["x"], points["y"], strict=True)))


def test_the_lines_of_a_latent_space_stand_there_with_its_maps(study, html):
    space = made_up_study.latent_space()
    for line in space.lines:
        assert html.count(pictures.strip(line["images"])) == 2  # of both autoencoders
    assert 'alt="From a Trouser to a Pullover by mansilla/base"' in html
    assert "The axes of PCA hold 25% and 10% of the variance" in html


def test_a_latent_space_of_other_weights_is_not_shown(study, tmp_path, make_record):
    groups = {BASE.id: [make_record(BASE)]}
    space = dataclasses.replace(made_up_study.latent_space(), weights_sha256="d" * 64)
    results.write(results.latent_path(tmp_path, BASE.id), space)
    assert [one["id"] for one in spaces.of_each(study, groups)] == [BASE.id]
    assert spaces.of_each(tmp_path, groups) == []


def test_whatever_a_plot_says_is_in_both_languages(html):
    said = json.loads(re.search(r'id="words">(.*?)</script>', html, re.S)[1])
    asked = set(
        re.findall(r"\$\{([^}]+)\}", "".join(re.findall(r'data-scale="\w.*?</script>', html)))
    )
    own = {"ink", "paper", "rule", "few", "many", "height"}
    assert own <= asked
    assert asked - own <= said["en"].keys() == said["es"].keys()


def test_a_picture_is_the_records_image_dark_on_light(make_record):
    packed = make_record(BASE).images["originals"]
    wanted = 255 - results.unpack_images(packed)

    def decode(uri):
        prefix = "data:image/png;base64,"
        assert uri.startswith(prefix)
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.removeprefix(prefix)))))

    assert all(map(np.array_equal, map(decode, pictures.separate(packed)), wanted))
    strip = decode(pictures.strip(packed))
    assert strip.shape == (28, 300)
    assert np.array_equal(strip[:, 31:59], wanted[1])


def test_the_autoencoder_whose_pictures_are_nearest_is_shown_first(make_record):
    near = make_record(BASE)
    far = make_record(UNTRAINED)
    far.images["reconstructions"] = results.pack_images(np.ones((10, 28, 28, 1)))
    for order in ([far, near], [near, far]):
        assert content.pictures_of(CATALOGUE, content.leading(order))["first"] == BASE.id


# --- languages ---


def test_every_text_is_in_both_languages_with_the_same_blanks():
    assert len(words.TEXTS) > 100
    for key, text in words.TEXTS.items():
        assert text.keys() == {"en", "es"}, key
        assert all(text.values()), key
        blanks = [sorted(re.findall(r"\{(\w+)\}", words)) for words in text.values()]
        assert blanks[0] == blanks[1], key


def test_every_text_is_used(study, monkeypatch):
    asked = set()

    class Noting(dict):
        def __getitem__(self, key):
            asked.add(key)
            return super().__getitem__(key)

    monkeypatch.setattr(words, "TEXTS", Noting(words.TEXTS))
    page.render(CATALOGUE, results.read_all(study), study)
    page.render(CATALOGUE, [], study / "nothing")
    monkeypatch.chdir(ROOT)
    page.render(CATALOGUE, results.read_all(results.STUDY), results.STUDY)
    page.render_live(CATALOGUE, results.read_all(results.STUDY), results.STUDY)
    # What only one verdict of a comparison says, and only a GPU's bench.
    assert words.TEXTS.keys() - asked == {"equivalent", "different", "variant_cudagraph"}


def test_what_the_reports_print_and_claim_has_its_spanish():
    printed = {
        spec.summary for shown in CATALOGUE.exhibits.values() for one in shown for spec in one.specs
    }
    claimed = {words for one in CATALOGUE.claims for words in (one.claim, one.published, one.where)}
    assert len(printed) > 15
    assert printed | claimed <= CATALOGUE.spanish.keys()
    sentences = [claim.claim for claim in CATALOGUE.claims]
    assert [words for words in sentences if CATALOGUE.spanish[words] == words] == []


def test_no_spanish_is_left_of_what_nobody_says_any_more():
    summaries = {spec.summary for spec in (*CATALOGUE.specs, *CATALOGUE.readings)}
    said = {words for one in CATALOGUE.claims for words in (one.claim, one.published, one.where)}
    assert CATALOGUE.spanish.keys() <= summaries | said
    assert spanish_claims.CLAIMS.keys() == {claim.id for claim in CATALOGUE.claims}


def test_what_has_no_spanish_is_shown_in_english(study):
    bare = dataclasses.replace(CATALOGUE, spanish={})
    shown = page.render(bare, results.read_all(study), study)
    assert f'<span class="plain" lang="en">{BASE.summary}</span>' in shown


def test_inline_code_and_emphasis_are_marked_and_the_rest_escaped():
    assert words.both(words.Text("**a** `b<` *", "**a** `b<` *")) == (
        "<strong>a</strong> <code>b&lt;</code> *"
    )


# --- the file ---


def test_nothing_is_asked_of_a_network(html, read):
    assert len(read.links) > 60
    for tag, link in read.links:
        if not link.startswith(("#", "data:image/png;base64,")):
            assert tag == "a"
            assert link.startswith("https://")
    assert "default-src 'none'" in html
    assert not re.search(r"@import|url\(|<link", html[: html.index("</style>")])


def test_what_a_record_says_is_text_and_never_markup(make_record, study):
    record = make_record(
        BASE, command='python "<script>alert(1)</script>"', commit="<b>" + "0" * 37
    )
    shown = page.render(CATALOGUE, [record], study)
    assert "<script>alert" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert "<b>0" not in shown


def test_before_the_first_run_the_page_says_so(tmp_path):
    read = Reader(page.render(CATALOGUE, [], tmp_path))
    text = " ".join(" ".join(read.texts).split())
    assert "No autoencoder has been run yet." in text
    assert "No comparison lies beside these records yet" in text
    assert read.row("base")[1:] == ["", "", "", "", "", "not run yet"]


def test_a_run_of_no_epochs_has_a_place_and_no_plot(make_record, tmp_path):
    record = make_record(BASE, history={})
    shown = page.render(CATALOGUE, [record], tmp_path)
    assert 'class="chart"' not in shown
    assert re.search(r'Figure 3.*?class="soft">.*?not run yet.*?: mansilla/base</p>', shown, re.S)
    assert "0.5" in Reader(shown).row("0", record.command)[2]


@pytest.mark.parametrize(("kind", "lost"), [("parity", "rows"), ("benchmarks", "machine")])
def test_a_damaged_measurement_is_named(tmp_path, kind, lost):
    whole = {"parity": made_up_study.PARITY, "benchmarks": made_up_study.BENCHMARK}[kind]
    path = tmp_path / kind / "one.json"
    path.parent.mkdir()
    path.write_text(json.dumps({name: value for name, value in whole.items() if name != lost}))
    with pytest.raises(results.RecordError, match=rf"one\.json lacks the field {lost}"):
        page.render(CATALOGUE, [], tmp_path)
    path.write_text("{")
    with pytest.raises(results.RecordError, match=r"one\.json is no JSON"):
        page.render(CATALOGUE, [], tmp_path)
    path.write_text(json.dumps({name: [{}] for name in whole}))
    with pytest.raises(results.RecordError, match=r"one\.json is not what its command writes"):
        page.render(CATALOGUE, [], tmp_path)


RENDER_WITHOUT_KERAS = """
import sys
for name in ("keras", "torch", "jax", "tensorflow"):
    sys.modules[name] = None  # an import of it fails
from experiments.__main__ import CATALOGUE
from keras_fmnist import page, results
html = page.render(CATALOGUE, results.read_all(sys.argv[1]), sys.argv[1])
sys.stdout.buffer.write(html.encode())
"""


def test_the_same_records_give_the_same_bytes_and_need_no_keras(study, html):
    assert page.render(CATALOGUE, results.read_all(study), study) == html
    done = subprocess.run(
        [sys.executable, "-c", RENDER_WITHOUT_KERAS, str(study)],
        env={**os.environ, "PYTHONHASHSEED": "1"},  # the order in which sets hand out strings
        stdout=subprocess.PIPE,
        check=True,
        cwd=ROOT,
        timeout=120,
    )
    assert done.stdout.decode() == html
