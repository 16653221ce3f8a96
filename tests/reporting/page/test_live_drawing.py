"""Drawing on the live page in a real Chromium, with a pointer and with the keyboard."""

import numpy as np
from playwright.sync_api import expect

from tests.helpers.live import shown


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


def test_a_drawn_box_is_no_frame(tab):
    tab.check("[name=source][value=live_from_drawing]", force=True)
    sheet = tab.locator("#sheet")
    sheet.scroll_into_view_if_needed()
    box = sheet.bounding_box()
    near, far = (box["width"] * share for share in (1 / 14, 13 / 14))
    tab.mouse.move(box["x"] + near, box["y"] + near)
    tab.mouse.down()
    for x, y in ((far, near), (far, far), (near, far), (near, near)):
        tab.mouse.move(box["x"] + x, box["y"] + y)
    tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["width"] / 2)  # something inside
    tab.mouse.up()
    expect(tab.locator("#shown-about")).to_contain_text("Your drawing")
    sides = shown(tab, "shown")[[0, -1], 3:25], shown(tab, "shown")[3:25, [0, -1]]
    assert min(side.min() for side in sides) > 128


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
