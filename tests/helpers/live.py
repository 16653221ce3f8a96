"""The live page in a browser: giving it a picture, and reading what it shows."""

import numpy as np

from keras_fmnist.records.run import STUDY
from tests.helpers.repository import ROOT

PUBLISHED = ROOT / STUDY

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


def settled(tab):
    """Waits until what moves with the next frame has moved, and every net has answered."""
    tab.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    tab.evaluate("async () => { await rebuilding; }")


def bring(tab, path):
    """Gives the page a file; returns what it made of it: 784 bytes, and its steps.

    A step is `[name, values that its words hold]`.
    """
    tab.evaluate("() => { trial.pixels = null; byId('complaint').hidden = true; }")
    tab.set_input_files("[name=file]", path)
    tab.wait_for_function("() => trial.pixels || !byId('complaint').hidden")
    pixels = tab.evaluate("() => trial.pixels && [...trial.pixels]")
    assert pixels is not None, tab.inner_text("#complaint")
    return np.array(pixels), tab.evaluate(
        "() => trial.steps.map((step) => [step.key, step.values])"
    )


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
