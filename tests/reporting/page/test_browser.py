"""The page in a real Chromium, from disk: it loads, its switches work, and axe finds nothing."""

import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.helpers import made_up_study
from tests.helpers.browser import complaints, launched, open_page


@pytest.fixture(scope="module")
def browser():
    with launched() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def heard():
    """Complaints of the page, and every address that it asked for."""
    return {"complaints": [], "requests": []}


@pytest.fixture(scope="module")
def page(tmp_path_factory, html):
    """The page on disk."""
    path = tmp_path_factory.mktemp("page") / "index.html"
    path.write_text(html, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def opened(browser, page, heard):
    tab = open_page(browser, page, heard)
    drawn(tab)
    return tab


def drawn(tab):
    """Waits until every plot is drawn once, in the colours and words that now hold."""
    tab.evaluate("async () => { await queue; }")
    tab.wait_for_function(
        "() => { const shown = all('.chart').filter((one) => !one.closest('[hidden]'));"
        " return shown.length > 3 && shown.every((one) => one.childElementCount === 1); }"
    )


@pytest.fixture
def tab(opened):
    """The page as it is when it has just been loaded."""
    yield opened
    opened.set_viewport_size({"width": 1280, "height": 900})
    opened.emulate_media(media="screen", color_scheme="light")
    opened.check("[name=language][value=en]", force=True)
    chosen = {"theme": "auto", "experiment": "mansilla/base", "image": ""}
    for switch, value in (chosen | {"space": "mansilla/base"}).items():
        opened.select_option(f"select[name={switch}]", value)
    drawn(opened)


def plot_of(tab, name):
    """Bokeh's view of the plot in an exhibit, as it is drawn now."""
    return tab.evaluate_handle(
        "name => views.get(document.getElementById(name).querySelector('.chart')).roots[0]", name
    )


FIGURE_3 = "mansilla-2"  # the second exhibit


def test_it_loads_from_disk_without_a_complaint_or_a_request(tab, heard, page):
    assert heard["complaints"] == []
    assert heard["requests"] == [page.as_uri()]


def test_pointing_at_a_plot_shows_the_records_numbers(tab):
    chart = tab.locator(f"#{FIGURE_3} .chart")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    last = plot_of(tab, FIGURE_3).evaluate("plot => plot.frame.x_scale.compute(15)")
    tab.mouse.move(box["x"] + last, box["y"] + 200)
    tooltip = tab.locator(".bk-tooltip-content")
    expect(tooltip).to_contain_text("epoch 15")
    expect(tooltip).to_contain_text("validation 0.0350")  # the mean of 0.03 and 0.04
    tab.mouse.move(0, 0)


def test_a_name_in_the_legend_hides_its_curve(tab):
    chart = tab.locator(f"#{FIGURE_3} .chart")
    chart.scroll_into_view_if_needed()
    visible = "plot => plot.model.renderers.slice(0, 2).map((one) => one.visible)"
    assert plot_of(tab, FIGURE_3).evaluate(visible) == [True, True]
    box = chart.bounding_box()
    for place in range(60, 140, 10):  # the first name stands left above the plot
        tab.mouse.click(box["x"] + place, box["y"] + 14)
        if plot_of(tab, FIGURE_3).evaluate(visible) != [True, True]:
            break
    assert plot_of(tab, FIGURE_3).evaluate(visible) == [False, False]  # curve and band


def test_the_vertical_axis_becomes_logarithmic_and_linear_again(tab):
    for scale, kind in (("log", "LogScale"), ("linear", "LinearScale")):
        tab.check(f"#{FIGURE_3} [value={scale}]", force=True)
        drawn(tab)
        assert plot_of(tab, FIGURE_3).evaluate("plot => plot.model.y_scale.type") == kind


def test_one_chooses_an_experiment_and_an_image(tab):
    rows, images = tab.locator(".experiment:visible"), tab.locator("#pictures img:visible")
    tab.select_option("select[name=experiment]", "mansilla/latent_256")
    assert rows.evaluate_all("all => all.map((row) => row.dataset.experiment)") == [
        "mansilla/latent_256"
    ]
    assert images.count() == 30  # original, rebuilt, PCA
    tab.select_option("select[name=image]", label="Bag")
    names = images.evaluate_all("all => all.map((image) => image.alt)")
    assert len(names) == 3
    assert all("Bag" in name for name in names)
    tab.select_option("select[name=experiment]", "")
    assert rows.count() == 4
    assert images.count() == 6


def test_a_point_on_a_map_says_its_class_and_the_number_of_its_image(tab):
    space = made_up_study.latent_space()
    chart = tab.locator(".space:visible .chart")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    place = [space.pca[axis][6] for axis in "xy"]
    x, y = tab.evaluate_handle(
        "() => views.get(document.querySelector('.space .chart')).roots[0]"
    ).evaluate(
        "(plot, [x, y]) => [plot.frame.x_scale.compute(x), plot.frame.y_scale.compute(y)]", place
    )
    tab.mouse.move(box["x"] + x, box["y"] + y)
    expect(tab.locator(".bk-tooltip-content")).to_contain_text("Shirt, test image 6")
    tab.mouse.move(0, 0)


def test_one_chooses_a_latent_space_and_a_map(tab):
    tab.select_option("select[name=space]", "mansilla/latent_256")
    drawn(tab)
    shown = tab.locator(".space:visible")
    assert shown.evaluate_all("all => all.map((one) => one.dataset.space)") == [
        "mansilla/latent_256"
    ]
    assert shown.locator("img").count() == 3
    first = "() => [...views.entries()].find(([holder]) => holder.closest('.space:not([hidden])'))"
    points = f"{first}[1].roots[0].model.renderers[0].data_source.data"
    for kind, axes in (("tsne", "tsne"), ("pca", "pca")):
        shown.locator(f"[value=map_{kind}]").check(force=True)
        drawn(tab)
        expected = getattr(made_up_study.latent_space(), axes)["x"][::10]
        assert tab.evaluate(f"() => [...({points})().x]") == pytest.approx(expected)


def test_a_row_of_a_confusion_matrix_is_read_out(tab):
    matrix = tab.locator(".matrix").first
    shirts = matrix.locator("tr", has_text="Shirt").filter(has_text="713.5")
    shirts.hover()
    expect(matrix.locator("output")).to_have_text(
        "Of 1000 test images of Shirt: Shirt 713.5 (71.4%); T-shirt/top 142 (14.2%); "
        "Pullover 60 (6.0%); Coat 55 (5.5%); Dress 20 (2.0%); Bag 9.5 (0.9%)."
    )
    tab.mouse.move(0, 0)  # else the page scrolls another row under it
    matrix.get_by_role("button", name="Sneaker").focus()  # as the keyboard does
    expect(matrix.locator("output")).to_have_text(
        "Of 1000 test images of Sneaker: Sneaker 1000 (100.0%)."
    )
    expect(shirts.locator(".count").nth(6)).to_be_visible()
    matrix.locator("[value=percent]").check(force=True)
    expect(shirts.locator(".percent").nth(6)).to_be_visible()
    expect(shirts.locator(".count").nth(6)).to_be_hidden()


def test_the_language_changes_without_a_reload(tab, heard):
    tab.check("[name=language][value=es]", force=True)
    drawn(tab)
    assert tab.locator("html").get_attribute("lang") == "es"
    assert tab.title() == "Dos informes de curso sobre Fashion‑MNIST, ejecutados de nuevo"
    expect(tab.locator("h1")).to_have_text(tab.title(), use_inner_text=True)
    expect(tab.locator("select[name=image] option").first).to_have_text("las diez")
    first = tab.locator("#pictures img:visible").first
    assert first.get_attribute("alt") == "Imagen de prueba, T-shirt/top"
    label = plot_of(tab, FIGURE_3).evaluate("plot => plot.model.below[0].axis_label")
    assert label == "época"
    assert len(heard["requests"]) == 1
    # Of what is in two languages one alone is seen.
    assert tab.locator("[lang=en]:not(html):not(.plain):visible").count() == 0
    assert tab.locator("[lang=es]:not(html):not(.plain):visible").count() > 100


def test_dark_is_what_the_system_or_the_reader_says(tab):
    def looks(theme):
        # The browser says a little later that its colours are others now.
        expect(tab.locator("html")).to_have_attribute("data-theme", theme)
        drawn(tab)
        plot = plot_of(tab, FIGURE_3).evaluate("plot => plot.model.background_fill_color")
        body = tab.evaluate("() => getComputedStyle(document.body).backgroundColor")
        return body, plot

    light = ("rgb(255, 255, 255)", "rgb(255, 255, 255)")
    dark = ("rgb(21, 24, 28)", "rgb(21, 24, 28)")
    assert looks("light") == light
    tab.emulate_media(color_scheme="dark")
    assert looks("dark") == dark
    tab.select_option("select[name=theme]", "light")
    assert looks("light") == light
    tab.emulate_media(color_scheme="light")
    tab.select_option("select[name=theme]", "dark")
    assert looks("dark") == dark


def test_on_a_phone_nothing_stands_out_to_the_side(tab):
    tab.set_viewport_size({"width": 390, "height": 844})
    drawn(tab)
    assert tab.evaluate("() => document.documentElement.scrollWidth") == 390


def test_on_paper_there_are_no_switches_and_no_dark(tab):
    tab.select_option("select[name=theme]", "dark")
    tab.emulate_media(media="print")
    expect(tab.locator(".top")).to_be_hidden()
    expect(tab.locator("#pictures .switches")).to_be_hidden()
    assert tab.evaluate("() => getComputedStyle(document.body).backgroundColor") == (
        "rgb(255, 255, 255)"
    )
    plot = Image.open(io.BytesIO(tab.locator(".chart canvas").first.screenshot())).convert("L")
    assert np.median(np.asarray(plot)) > 240


def test_on_paper_everything_is_open_and_afterwards_as_it_was(tab):
    shut = "document.querySelectorAll('details:not([open])').length"
    before = tab.evaluate(shut)
    assert before > 3
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert tab.evaluate(shut) == 0
    tab.evaluate("dispatchEvent(new Event('afterprint'))")
    assert tab.evaluate(shut) == before


def test_on_a_phone_the_name_of_a_row_stays_where_the_row_is_moved_along(tab):
    tab.set_viewport_size({"width": 390, "height": 844})
    drawn(tab)
    name = tab.locator(".scroll tbody th").first
    left = name.bounding_box()["x"]
    tab.locator(".scroll").first.evaluate("element => { element.scrollLeft = 60; }")
    assert name.bounding_box()["x"] == left


def test_axe_finds_nothing_in_either_language(tab):
    assert complaints(tab) == []
    tab.check("[name=language][value=es]", force=True)
    drawn(tab)
    assert complaints(tab, runOnly=["cat.language", "cat.text-alternatives"]) == []


def test_contrast_is_enough_in_the_dark_too(tab):
    tab.select_option("select[name=theme]", "dark")
    drawn(tab)
    assert complaints(tab, runOnly=["color-contrast"]) == []
