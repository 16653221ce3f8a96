"""A real Chromium for the tests of the pages, and what axe finds in one."""

import contextlib
import os
import shutil

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE = 30_000  # milliseconds: drawing takes two seconds, on a busy machine many more


@contextlib.contextmanager
def launched():
    """Chromium without a window; the test is skipped where there is none."""
    if CHROMIUM is None:
        # On a developer's machine there may be none; a CI without it would hide that.
        assert not os.environ.get("CI"), "Chromium is not installed"
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


def open_page(browser, path, heard):
    """Opens a file in a tab of its own; what the page complains of and asks for goes to `heard`."""
    tab = browser.new_page(viewport={"width": 1280, "height": 900}, locale="en-GB")
    tab.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    tab.on("pageerror", lambda error: heard["complaints"].append(str(error)))
    tab.on(
        "console",
        lambda message: (
            message.type in ("error", "warning") and heard["complaints"].append(message.text)
        ),
    )
    tab.on("request", lambda asked: heard["requests"].append(asked.url))
    tab.goto(path.as_uri())
    return tab


def complaints(tab, **options):
    """What axe finds, with the elements it finds it in."""
    options["resultTypes"] = ["violations"]
    found = Axe().run(tab, options=options).response["violations"]
    return [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found]
