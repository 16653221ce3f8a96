"""The live page in a real Chromium, from disk: it computes what Keras does, and its parts work."""

import itertools
import shlex

import numpy as np
import pytest
from garment_photos import save_all
from in_browser import complaints, launched, open_page
from PIL import Image
from playwright.sync_api import expect

from experiments.__main__ import CATALOGUE
from keras_fmnist import cli, data, live_data, menu, photos, results, trained, weights
from keras_fmnist import page as page_room
from keras_fmnist.data import CLASS_NAMES

STUDY = results.STUDY
FIFTY = 50
# Rounding a weight to 16 bits moves it by up to 1 / 2048 of itself.
LOGITS_WITHIN = 1e-3  # of the largest
PIXELS_WITHIN = 1 / 255
WORDS = {  # of photos.py, for steps of the page
    "step_upright": "turned upright",
    "step_on_white": "put on white",
    "step_on_black": "put on black",
    "step_grey": "grey",
    "step_inverted": photos.INVERTED,
    "step_levelled": "uneven light levelled",
    "step_fitted": "cut to the object and fitted to 28×28",
}
RESET = """() => {
  Object.assign(walk, { next: "A", net: null });
  for (const [name, value] of Object.entries({
    theme: "auto", picture: "0", noise: "0", cover: "0", side: "left", space: "0", between: "0.5",
    "axis-x": "0.5", "axis-y": "0.5", "pin-A": "0", "pin-B": "3", pen: "26",
  })) named(name).value = value;
  named("dropout").checked = false;
  byId("again").disabled = true;
  trial.seed = 1;
  document.querySelector("[name=unit][value=live_probability]").checked = true;
  document.querySelector("[name=language][value=en]").checked = true;
  speak("en");
  colour();
  wipe();
  chooseSource("live_from_test");
  takeTestImage();
}"""


@pytest.fixture(scope="module")
def root(request):
    """The clone's folder, from which the study is read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(request.config.rootpath)
        yield request.config.rootpath


@pytest.fixture(scope="module")
def page_file(root, tmp_path_factory):
    path = tmp_path_factory.mktemp("live") / "live.html"
    html = page_room.render_live(CATALOGUE, results.read_all(STUDY), STUDY)
    path.write_text(html, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def garments(root, tmp_path_factory):
    return save_all(tmp_path_factory.mktemp("photos"), STUDY)


@pytest.fixture(scope="module")
def heard():
    return {"complaints": [], "requests": []}


@pytest.fixture(scope="module")
def opened(page_file, heard):
    with launched() as chromium:
        tab = open_page(chromium, page_file, heard)
        tab.wait_for_function("() => document.documentElement.dataset.ready")
        yield tab


@pytest.fixture
def tab(opened):
    """The page as it is when it has just been loaded."""
    opened.set_viewport_size({"width": 1280, "height": 900})
    opened.emulate_media(media="screen", color_scheme="light")
    opened.evaluate(RESET)
    settled(opened)
    return opened


@pytest.fixture(scope="module")
def nets(root):
    """`{experiment's id: the trained net}` by Keras."""
    chosen = (*CATALOGUE.live.classifiers, *CATALOGUE.live.autoencoders)
    return {s.id: trained.load(STUDY, trained.find(STUDY, s.id), s) for s in chosen}


def settled(tab):
    """Waits until what moves with the next frame has moved, and every net has answered."""
    tab.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    tab.evaluate("async () => { await rebuilding; }")


def bring(tab, path):
    """Gives the page a file; returns what it made of it, 784 bytes, and the names of its steps."""
    tab.evaluate("() => { trial.pixels = null; byId('complaint').hidden = true; }")
    tab.set_input_files("[name=file]", path)
    tab.wait_for_function("() => trial.pixels || !byId('complaint').hidden")
    pixels = tab.evaluate("() => trial.pixels && [...trial.pixels]")
    assert pixels is not None, tab.inner_text("#complaint")
    return np.array(pixels), tab.evaluate("() => trial.steps.map((step) => step.key)")


@pytest.fixture(scope="module")
def brought(opened, garments):
    """What the page makes of each photo: `{what is hard: (784 bytes, names of steps, class)}`."""
    return {name: (*bring(opened, path), winners(opened)[0]) for name, path in garments.items()}


def shown(tab, name):
    """What a canvas shows, grey, as an array."""
    found = tab.evaluate(
        "id => { const one = byId(id); const { data } = one.getContext('2d')"
        ".getImageData(0, 0, one.width, one.height);"
        " return [one.height, one.width, [...data].filter((_, k) => k % 4 === 0)]; }",
        name,
    )
    return np.array(found[2]).reshape(found[:2])


def winners(tab):
    """The class that each classifier names, as the page shows it before the percentage."""
    return [one.rpartition(" ")[0] for one in tab.locator("[data-winner]").all_inner_texts()]


def test_it_loads_from_disk_without_a_complaint_or_a_request(tab, heard, page_file):
    assert heard["complaints"] == []
    assert heard["requests"] == [page_file.as_uri()]


def test_the_browser_computes_what_keras_does(tab, nets, brought, tally):
    three = [brought[name][0] for name in ("dark on light", "light on dark", "colours")]
    test_images = tab.evaluate(
        f"() => [...arrayOf(content.images.images).values].slice(0, {784 * FIFTY})"
    )
    images = np.concatenate([np.array(test_images), *three])
    images = images.astype(np.uint8).reshape(-1, 28, 28, 1)
    assert len(images) == FIFTY + 3
    found = tab.evaluate(
        "images => images.map((bytes) => { const x = Float32Array.from(bytes, (v) => v / 255);"
        " return { logits: content.classifiers.map((net) => [...classify(net, x).logits]),"
        " rebuilt: content.autoencoders.map((net) => [...decode(net, encode(net, x))]) }; })",
        images.reshape(len(images), -1).tolist(),
    )
    off = {}
    for k, spec in enumerate(CATALOGUE.live.classifiers):
        expected = nets[spec.id].logits(images)
        logits = np.array([one["logits"][k] for one in found])
        off[spec.id] = abs(logits - expected).max() / abs(expected).max()
        assert off[spec.id] <= LOGITS_WITHIN, spec.id
    for k, spec in enumerate(CATALOGUE.live.autoencoders):
        net = nets[spec.id]
        expected = net.decode(net.encode(images)).reshape(len(images), -1)
        rebuilt = np.array([one["rebuilt"][k] for one in found])
        off[spec.id] = abs(rebuilt - expected).max()
        assert off[spec.id] <= PIXELS_WITHIN, spec.id
    print({name: float(f"{value:.2g}") for name, value in off.items()})
    tally("pictures on which browser and Keras agree", len(images))


def test_a_photo_becomes_the_same_28_by_28_as_in_the_terminal(brought, garments):
    for name, path in garments.items():
        pixels, steps, _ = brought[name]
        expected = photos.read(path)
        # Decoders of JPEG may differ by a grey level; everything after them does not.
        assert abs(pixels - expected.pixels.ravel()).max() <= (2 if path.suffix == ".jpg" else 0), (
            name
        )
        assert [WORDS[key] for key in steps if key in WORDS] == list(expected.steps[1:]), name
        assert steps[0] == "step_size"


def test_predict_and_the_page_name_the_same_class_for_the_same_file(
    brought, garments, dataset, tmp_path, monkeypatch, capsys
):
    # The training images are only looked through for neighbours.
    monkeypatch.setattr(data, "load", lambda: dataset)
    monkeypatch.setenv("KERAS_FMNIST_CACHE", str(tmp_path))
    assert len(garments) > 12
    named = {name: label for name, (_, _, label) in brought.items()}
    words = shlex.split(f"predict --picture {tmp_path / 'p.png'}") + [
        str(p) for p in garments.values()
    ]
    assert cli.main(menu.tool(CATALOGUE), "keras-fmnist", words) == 0
    lines = capsys.readouterr().out.splitlines()
    predicted = {
        name: lines[lines.index(next(one for one in lines if one.startswith(f"{path}: "))) + 1]
        for name, path in garments.items()
    }
    assert {name: line.split("%  ")[1] for name, line in predicted.items()} == named
    assert len(set(named.values())) > 4  # they do not all say Bag


def test_what_cannot_be_read_or_has_nothing_on_it_is_said(tab, tmp_path):
    (tmp_path / "text.png").write_bytes(b"no picture")
    Image.new("L", (300, 300), 90).save(tmp_path / "plain.png")
    complaint = tab.locator("#complaint")
    for name, words in {
        "text.png": "This browser cannot read that file as a picture",
        "plain.png": "Nothing on it stands out",
    }.items():
        tab.set_input_files("[name=file]", tmp_path / name)
        expect(complaint).to_contain_text(words)
    tab.check("[name=source][value=live_from_test]", force=True)
    expect(complaint).to_be_hidden()


def test_a_file_can_be_dropped_and_pasted(tab, garments):
    given = list(garments["theirs"].read_bytes())
    carried = (
        "([bytes, kind]) => { const file = new File([new Uint8Array(bytes)], 'shoe.png');"
        " const held = new DataTransfer(); held.items.add(file); trial.pixels = null;"
        " const event = kind === 'drop'"
        " ? new DragEvent('drop', { dataTransfer: held, bubbles: true })"
        " : new ClipboardEvent('paste', { clipboardData: held, bubbles: true });"
        " document.body.dispatchEvent(event); }"
    )
    for kind in ("drop", "paste"):
        tab.evaluate(carried, [given, kind])
        tab.wait_for_function("() => trial.pixels")
        expect(tab.locator("#shown-about")).to_have_text("shoe.png, as the nets get it")
        expect(tab.locator(".drop")).to_be_visible()


def test_one_leafs_through_test_images(tab):
    about = tab.locator("#shown-about")
    expect(about).to_have_text("Test image 19, in truth T-shirt/top")
    tab.click("#next")
    expect(about).to_contain_text("Trouser")
    tab.click("#previous")
    tab.click("#previous")
    expect(about).to_contain_text("Ankle boot")  # the last one
    tab.select_option("[name=picture]", "8")
    expect(about).to_contain_text("Bag")
    assert winners(tab)[0] == "Bag"


def test_probabilities_and_logits_stand_there_and_the_dead_ones_are_named(tab, nets):
    pixels = np.array(tab.evaluate("() => [...trial.pixels]"), np.uint8).reshape(1, 28, 28, 1)
    for unit in ("probability", "logit"):
        tab.check(f"[name=unit][value=live_{unit}]", force=True)
        for k, spec in enumerate(CATALOGUE.live.classifiers):
            net = nets[spec.id]
            cells = tab.locator(f"[data-net='{k}'] .value").all_inner_texts()
            read = [float(cell.replace("\xa0%", "")) for cell in cells]
            expected = (
                100 * net.probabilities(pixels) if unit == "probability" else net.logits(pixels)
            )
            np.testing.assert_allclose(read, expected[0], atol=0.06)
    for k, spec in enumerate(CATALOGUE.live.classifiers):
        dead = tab.locator(f"[data-net='{k}'] .dead").count()
        assert dead == nets[spec.id].record.metrics["dead_logits"]


def test_dropout_acts_while_it_is_switched_on(tab):
    def state():
        settled(tab)
        return tab.evaluate(
            "() => [...classify(content.classifiers[0], currentPixels(), dropoutNow()).logits]"
        )

    def zeros():
        settled(tab)
        return int(tab.inner_text("[data-dropped=code]").split(" ")[0].strip("("))

    quiet, off = state(), zeros()
    assert tab.is_disabled("#again")
    tab.check("[name=dropout]")
    first = state()
    assert first != quiet
    assert state() == first  # the mask stays until another is drawn
    assert zeros() > off
    tab.click("#again")
    assert state() not in (first, quiet)
    tab.uncheck("[name=dropout]")
    assert state() == quiet
    assert zeros() == off


def test_dropout_drops_its_share_and_scales_up_what_is_left(tab):
    dropped = tab.evaluate(
        "() => { const step = content.autoencoders[0].encoder.find((s) => s.op === 'dropout');"
        " const drop = () => OPERATIONS.dropout(tf.ones([100, 100]), step, { seed: 1, layer: 0 });"
        " return [step.rate, [...tf.tidy(() => drop().dataSync())]]; }"
    )
    rate, values = dropped[0], np.array(dropped[1])
    assert rate == CATALOGUE.live.autoencoders[0].dropout
    assert abs((values == 0).mean() - rate) < 0.02
    np.testing.assert_allclose(values[values > 0], 1 / (1 - rate), rtol=1e-6)


def test_noise_and_cover_change_the_picture_and_what_follows(tab):
    before, answer = shown(tab, "shown"), tab.inner_text("#answer")
    tab.fill("[name=cover]", "14")
    tab.select_option("[name=side]", "top")
    settled(tab)
    covered = shown(tab, "shown")
    assert covered[:14].max() == 0
    np.testing.assert_array_equal(covered[14:], before[14:])
    assert tab.inner_text("#answer") != answer
    tab.fill("[name=cover]", "0")
    tab.fill("[name=noise]", "0.3")
    settled(tab)
    noisy = shown(tab, "shown").astype(int)
    middle = (before > 40) & (before < 215)  # what the edges do not clip
    assert 40 < (noisy - before)[middle].std() < 110  # of 255 · 0.3


def test_one_draws_with_a_pointer(tab):
    tab.check("[name=source][value=live_from_drawing]", force=True)
    sheet = tab.locator("#sheet")
    sheet.scroll_into_view_if_needed()
    box = sheet.bounding_box()
    tab.mouse.move(box["x"] + 100, box["y"] + 40)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 100, box["y"] + 240, steps=5)
    tab.mouse.up()
    expect(tab.locator("#shown-about")).to_contain_text("Your drawing")
    picture = shown(tab, "shown")
    columns = np.flatnonzero(picture.max(axis=0) > 128)
    assert (picture[:, columns].min(axis=1)[3:25] > 128).all()  # a bar as tall as the picture
    assert abs(columns.mean() - 13.5) <= 1
    expect(tab.locator("#steps li")).to_have_count(4)


def test_one_draws_with_the_keyboard(tab):
    tab.check("[name=source][value=live_from_drawing]", force=True)
    tab.focus("#sheet")
    tab.keyboard.press(" ")
    for _ in range(8):
        tab.keyboard.press("ArrowRight")
    tab.keyboard.press(" ")
    tab.keyboard.press("ArrowDown")  # the pen is up
    expect(tab.locator("#shown-about")).to_contain_text("Your drawing")
    rows = np.flatnonzero(shown(tab, "shown").max(axis=1) > 128)
    assert 4 <= len(rows) <= 12  # a bar that lies


def test_pca_is_that_of_the_records(tab, root):
    (base,) = [r for r in results.read_all(STUDY) if (r.id, r.seed) == ("mansilla/base", 0)]
    rows = tab.evaluate("() => [...arrayOf(content.images.rows).values].slice(0, 10)")
    assert rows == base.images["test_rows"]
    found = tab.evaluate(
        "() => [...Array(10).keys()].map((k) => [...projectOnComponents("
        "Float32Array.from(testImage(k), (v) => v / 255), content.autoencoders[0].pca)])"
    )
    expected = results.unpack_images(base.images["pca"]).reshape(10, -1)
    assert abs(255 * np.clip(found, 0, 1) - expected).max() <= 1.5  # a grey level, and its rounding


# --- the codes


def code_at(tab, name):
    """The code at the sliders' place on the map, from what `keras-fmnist live` has measured."""
    x, y = tab.evaluate("() => here(scaleOf(walked()))")
    arrays = weights.load(live_data.path_in(STUDY))
    return arrays[f"{name}/mean"] + np.float32([x, y]) @ arrays[f"{name}/axes"]


def test_a_code_lies_where_the_map_of_the_records_has_it(tab):
    for k in range(len(CATALOGUE.live.autoencoders)):
        off, reach = tab.evaluate(
            "k => { named('space').value = k; const net = walked(); const { x, y } = mapOf(net);"
            " const rows = arrayOf(content.images.rows).values; let most = 0;"
            " for (let i = 0; i < 20; i++) {"
            "  const image = Float32Array.from(testImage(i), (v) => v / 255);"
            "  const [a, b] = placeOf(net, encode(net, image));"
            "  most = Math.max(most, Math.hypot(a - x[rows[i]], b - y[rows[i]])); }"
            " const [low, high] = bounds(x); return [most, high - low]; }",
            k,
        )
        assert off < 0.005 * reach


def test_the_pointer_decodes_where_it_stands_and_so_do_the_sliders(tab, nets):
    name = CATALOGUE.live.autoencoders[0].id
    net = nets[name]
    chart = tab.locator("#map")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    seen = [shown(tab, "here")]
    for across, up in ((0.3, 0.4), (0.6, 0.7)):
        tab.mouse.move(box["x"] + across * box["width"], box["y"] + up * box["height"])
        settled(tab)
        seen.append(shown(tab, "here"))
        expected = net.decode(code_at(tab, name)[None])[0, ..., 0]
        assert abs(seen[-1] - 255 * expected).max() <= 1.5
    tab.focus("[name=axis-y]")
    for _ in range(20):
        tab.keyboard.press("ArrowUp")
    settled(tab)
    seen.append(shown(tab, "here"))
    assert all((one != other).any() for one, other in itertools.pairwise(seen))
    assert tab.inner_text("#here-about").removeprefix("nearest: ") in CLASS_NAMES


def test_a_slider_walks_from_one_pinned_image_to_the_other(tab, nets):
    net = nets[CATALOGUE.live.autoencoders[0].id]
    tab.select_option("[name=pin-A]", "7")
    tab.select_option("[name=pin-B]", "9")
    images = tab.evaluate("() => [7, 9].map((k) => [...testImage(k)])")
    images = np.array(images, np.uint8).reshape(2, 28, 28, 1)
    codes = net.encode(images)
    for pin, image in zip("AB", images, strict=True):
        np.testing.assert_array_equal(shown(tab, f"pin-{pin}"), image[..., 0])
    for share in (0, 0.25, 1):
        tab.fill("[name=between]", str(share))
        settled(tab)
        expected = net.decode((codes[0] + share * (codes[1] - codes[0]))[None])[0, ..., 0]
        assert abs(shown(tab, "between") - 255 * expected).max() <= 1.5


def test_a_press_near_a_ringed_point_pins_its_image_and_the_next_one_the_other(tab):
    chart = tab.locator("#map")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    for pin, image in (("A", 1), ("B", 5)):
        x, y = tab.evaluate(
            "k => { const net = walked(); const [, a, b] = samplePlaces(net)[k];"
            " return scaleOf(net).toCanvas(a, b).map((at) => at / byId('map').width); }",
            image,
        )
        tab.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["width"])
        chosen = tab.input_value(f"[name=pin-{pin}]")
        near = tab.evaluate(
            "([k, other]) => { const [one, two] = [k, other].map((i) => samplePlaces(walked())[i]);"
            " const scale = scaleOf(walked());"
            " const [first, second] = [one, two].map(([, x, y]) => scale.toCanvas(x, y));"
            " return Math.hypot(first[0] - second[0], first[1] - second[1]); }",
            [image, int(chosen)],
        )
        assert near < 3  # canvas pixels: two images may lie on one another


def test_the_picture_above_can_be_pinned(tab):
    tab.select_option("[name=pin-A]", "given")
    tab.click("#next")
    settled(tab)
    np.testing.assert_array_equal(shown(tab, "pin-A"), shown(tab, "shown"))


def test_a_number_of_the_code_changes_the_picture_and_there_is_a_way_back(tab, nets):
    net = nets[CATALOGUE.live.autoencoders[0].id]
    sliders = tab.locator("[data-unit]")
    assert sliders.count() == 8
    before = shown(tab, "unit-picture")
    pixels = np.array(tab.evaluate("() => [...trial.pixels]"), np.uint8).reshape(1, 28, 28, 1)
    code = net.encode(pixels)
    unit, most = int(sliders.first.get_attribute("data-unit")), sliders.first.get_attribute("max")
    sliders.first.focus()
    tab.keyboard.press("End")
    code[0, unit] = float(most)
    expected = net.decode(code)[0, ..., 0]
    assert abs(shown(tab, "unit-picture") - 255 * expected).max() <= 1.5
    assert abs(before - 255 * expected).max() > 20
    tab.click("#units-back")
    np.testing.assert_array_equal(shown(tab, "unit-picture"), before)
    assert "Of all 64 numbers" in tab.inner_text("#units-about")


def test_one_chooses_whose_codes_to_walk_through(tab, nets):
    tab.select_option("[name=space]", "1")
    assert "Of all 256 numbers" in tab.inner_text("#units-about")
    name = CATALOGUE.live.autoencoders[1].id
    expected = nets[name].decode(code_at(tab, name)[None])[0, ..., 0]
    assert abs(shown(tab, "here") - 255 * expected).max() <= 1.5


# --- for everybody


def test_the_language_changes_without_a_reload(tab, heard):
    tab.check("[name=language][value=es]", force=True)
    assert tab.title() == "Las redes entrenadas, en vivo"
    expect(tab.locator("#shown-about")).to_have_text("Imagen de prueba 19, en verdad T-shirt/top")
    expect(tab.locator("#answer")).to_contain_text("Respondido en")
    expect(tab.locator("[data-unit]").first.locator("xpath=..")).to_contain_text("número")
    assert tab.locator("[lang=en]:not(html):not(.plain):visible").count() == 0
    assert len(heard["requests"]) == 1


def test_everything_is_reached_with_the_keyboard(tab):
    reached = set()
    tab.evaluate("() => { document.activeElement.blur(); scrollTo(0, 0); }")
    for _ in range(80):
        tab.keyboard.press("Tab")
        reached.add(tab.evaluate("() => document.activeElement.name || document.activeElement.id"))
    assert reached >= {
        *("source", "picture", "previous", "next", "unit", "noise", "cover", "side", "dropout"),
        *(
            "space",
            "axis-x",
            "axis-y",
            "pin-A",
            "pin-B",
            "between",
            "units-back",
            "language",
            "theme",
        ),
    }


@pytest.mark.parametrize("source", ["live_from_test", "live_from_drawing", "live_from_photo"])
def test_axe_finds_nothing_whatever_is_shown(tab, garments, source):
    if source == "live_from_photo":
        bring(tab, garments["turned"])
    tab.check(f"[name=source][value={source}]", force=True)
    assert complaints(tab) == []
    tab.select_option("[name=theme]", "dark")
    tab.check("[name=language][value=es]", force=True)
    assert complaints(tab) == []


def test_on_a_phone_nothing_stands_out_to_the_side(tab, garments):
    bring(tab, garments["turned"])
    tab.set_viewport_size({"width": 390, "height": 844})
    assert tab.evaluate("() => document.documentElement.scrollWidth") == 390
