"""Walking through the codes on the live page: the map, the line between images, the numbers."""

import itertools

import numpy as np

from experiments.__main__ import CATALOGUE
from keras_fmnist.data import CLASS_NAMES
from keras_fmnist.inference.live_data import locate_live_data
from keras_fmnist.models import weights
from tests.helpers.live import PUBLISHED, settled, shown


def code_at(tab, name):
    """The code at the sliders' place on the map, from what `keras-fmnist live` has measured."""
    x, y = tab.evaluate("() => here(scaleOf(walked()))")
    arrays = weights.load(locate_live_data(PUBLISHED))
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
