"""The live page in a real Chromium, from disk: it computes what Keras does, and its parts work."""

import shlex

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from experiments.__main__ import CATALOGUE
from experiments.assumptions import FIRST_DEFAULT
from experiments.manolucos import WIDE
from keras_fmnist import data
from keras_fmnist.cli import app
from keras_fmnist.cli.menu import build_menu
from keras_fmnist.inference import photos
from keras_fmnist.models import weights
from keras_fmnist.records.images import unpack_images
from keras_fmnist.reporting.page.nets import Store, decoder, encoder
from keras_fmnist.specs import override
from tests.helpers.browser import complaints
from tests.helpers.live import PUBLISHED, bring, settled, shown, winners
from tests.helpers.lively import lively
from tests.helpers.published import read_seed_0

FIFTY = 50
# Rounding a weight to 16 bits moves it by up to 1 / 2048 of itself.
LOGITS_WITHIN = 1e-3  # of the largest
PIXELS_WITHIN = 1 / 255
WORDS = {  # of photos.py, for steps of the page
    "step_upright": "turned upright",
    "step_edges_filled": "transparent edges filled",
    "step_on_white": "put on white",
    "step_on_black": "put on black",
    "step_grey": "grey",
    "step_frame_off": "frame taken off, which leaves {percent}%",
    "step_inverted": photos.INVERTED,
    "step_levelled": "uneven light levelled",
    "step_fitted": "cut to the object and fitted to 28×28",
}
FRAMED = (
    "a line around",
    "a broad frame",
    "letterbox bars",
    "pillarbox bars",
    "a frame between bars",
)
CLEAR_AROUND = ("rounded corners", "soft corners", "transparent bars")


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


def test_it_also_computes_layers_that_no_net_of_the_page_has(tab, dataset):
    """Batch norm, average pooling, a map as the code, and tanh."""
    spec = override(FIRST_DEFAULT[WIDE], {"kernels": (4, 6)})
    model, store = lively(spec), Store()
    arrays = weights.get_arrays(model)
    net = {
        "encoder": encoder(spec, arrays, store, spec.dropout),
        "decoder": decoder(spec, arrays, store),
        "numbers": spec.code_size,
        "pixel_min": spec.pixel_min,
    }
    assert {"average_pool", "tanh"} <= {s["op"] for s in (*net["encoder"], *net["decoder"])}
    images = dataset.test_images[:5].astype(np.float32) / 255
    rebuilt = tab.evaluate(
        "([arrays, net, images]) => { Object.assign(content.arrays, arrays);"
        " return images.map((x) => [...decode(net, encode(net, Float32Array.from(x)))]); }",
        [store.entries, net, images.reshape(5, -1).tolist()],
    )
    expected = (model.predict(images * 2 - 1, verbose=0) + 1) / 2
    assert expected.std(axis=0).max() > PIXELS_WITHIN
    np.testing.assert_allclose(rebuilt, expected.reshape(5, -1), atol=PIXELS_WITHIN, rtol=0)


def test_a_photo_becomes_the_same_28_by_28_as_in_the_terminal(brought, garments):
    for name, path in garments.items():
        pixels, steps, _ = brought[name]
        expected = photos.read(path)
        # Decoders of JPEG may differ by a grey level; everything after them does not.
        assert abs(pixels - expected.pixels.ravel()).max() <= (2 if path.suffix == ".jpg" else 0), (
            name
        )
        told = [WORDS[key].format(**values) for key, values in steps if key in WORDS]
        assert told == list(expected.steps[1:]), name
        assert steps[0][0] == "step_size"


def test_frames_bars_and_transparent_corners_are_taken_off_and_that_is_said(brought, tab, garments):
    for names, step in ((FRAMED, "step_frame_off"), (CLEAR_AROUND, "step_edges_filled")):
        for name in names:
            assert step in [key for key, _ in brought[name][1]], name
    bring(tab, garments["pillarbox bars"])
    left = round(100 * 280 / (280 + 2 * 90))
    for language, words in {
        "en": f"frame taken off, which leaves {left}\xa0%",
        "es": f"marco quitado, con lo que queda el {left}\xa0%",
    }.items():
        tab.check(f"[name=language][value={language}]", force=True)
        expect(tab.locator("#steps")).to_contain_text(words)


def test_predict_and_the_page_name_the_same_class_for_the_same_file(
    brought, garments, dataset, tmp_path, monkeypatch, capsys
):
    # The training images are only looked through for neighbours.
    monkeypatch.setattr(data, "load", lambda: dataset)
    monkeypatch.setenv("KERAS_FMNIST_CACHE", str(tmp_path))
    assert len(garments) > 12
    named = {name: label for name, (_, _, label) in brought.items()}
    words = shlex.split(f"predict --out {PUBLISHED} --picture {tmp_path / 'p.png'}")
    paths = [str(path) for path in garments.values()]
    for some in (paths[:15], paths[15:]):  # it takes at most 20
        assert app.main(build_menu(CATALOGUE), "keras-fmnist", words + some) == 0
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


def test_pca_is_that_of_the_records(tab):
    base = read_seed_0(PUBLISHED, "mansilla/base")
    rows = tab.evaluate("() => [...arrayOf(content.images.rows).values].slice(0, 10)")
    assert rows == base.images["test_rows"]
    found = tab.evaluate(
        "() => [...Array(10).keys()].map((k) => [...projectOnComponents("
        "Float32Array.from(testImage(k), (v) => v / 255), content.autoencoders[0].pca)])"
    )
    expected = unpack_images(base.images["pca"]).reshape(10, -1)
    assert abs(255 * np.clip(found, 0, 1) - expected).max() <= 1.5  # a grey level, and its rounding


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
