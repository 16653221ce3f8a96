"use strict";
// What both pages have at the top: the language and the colours.

const root = document.documentElement;
const systemIsDark = matchMedia("(prefers-color-scheme: dark)");
const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];

function speak(language) {
  root.lang = language;
  for (const element of all("[data-exchange]")) {
    const { exchange, [language]: value } = element.dataset;
    if (exchange === "text") element.textContent = value;
    else element.setAttribute(exchange, value);
  }
}

function colour() {
  const chosen = document.querySelector("select[name=theme]").value;
  const system = systemIsDark.matches ? "dark" : "light";
  root.dataset.theme = chosen === "auto" ? system : chosen;
}

// Calls `redraw` now, and whenever the language or the colours have changed.
function startShell(redraw) {
  for (const choice of all("input[name=language]")) {
    choice.addEventListener("change", () => { speak(choice.value); redraw(); });
  }
  for (const source of [document.querySelector("select[name=theme]"), systemIsDark]) {
    source.addEventListener("change", () => { colour(); redraw(); });
  }
  const preferred = navigator.language.startsWith("es") ? "es" : "en";
  document.querySelector(`input[name=language][value=${preferred}]`).checked = true;
  speak(preferred);
  colour();
  redraw();
}
