// A picture, what is done to it, and what the classifiers make of it.

const trial = {
  pixels: new Uint8Array(SIDE * SIDE), // as the data set has it, before noise and cover
  about: () => "",
  steps: null,
  seed: 1, // of noise and dropout
};

// Test images, as bytes.
function testImage(index) {
  return arrayOf(content.images.images).values.subarray(index * SIDE * SIDE, (index + 1) * SIDE * SIDE);
}

// The picture as the nets get it: 784 numbers in [0, 1], with noise and partly covered.
function harder(pixels) {
  const strength = Number(named("noise").value);
  const covered = Number(named("cover").value);
  const side = named("side").value;
  const noise = strength
    ? tf.tidy(() => tf.randomNormal([pixels.length], 0, strength, "float32", trial.seed).dataSync())
    : null;
  return Float32Array.from(pixels, (value, k) => {
    const [row, column] = [Math.floor(k / SIDE), k % SIDE];
    const depth = { left: column, top: row, right: SIDE - 1 - column, bottom: SIDE - 1 - row }[side];
    if (depth < covered) return 0;
    return Math.min(Math.max(value / 255 + (noise ? noise[k] : 0), 0), 1);
  });
}

const dropoutNow = () => (named("dropout").checked ? { seed: trial.seed } : null);
const currentPixels = () => harder(trial.pixels);

// Takes a picture, and shows it and everything that follows from it.
function take({ pixels, about, steps = null }) {
  Object.assign(trial, { pixels, about, steps });
  byId("complaint").hidden = true;
  showSteps();
  answer();
}

// Says why a file or a drawing could not be taken.
function complain(error) {
  if (!(error instanceof NoPicture)) throw error;
  const complaint = byId("complaint");
  complaint.textContent = say(error.message).replaceAll("`", "");
  complaint.hidden = false;
}

function showSteps() {
  byId("steps-block").hidden = !trial.steps;
  byId("steps").replaceChildren(...(trial.steps ?? []).map(({ key, values, image }) => {
    const item = document.createElement("li");
    const canvas = document.createElement("canvas");
    canvas.classList.toggle("small", image.width <= 112 && image.height <= 112);
    canvas.setAttribute("aria-hidden", "true"); // the words beside it say what was done
    paintPlanes(canvas, image);
    const name = document.createElement("span");
    name.textContent = say(key, values);
    item.append(canvas, name);
    return item;
  }));
}

// Shows what the classifiers say of the picture; the autoencoders follow, see rebuilt.js.
function answer() {
  const start = performance.now();
  const pixels = currentPixels();
  const dropout = dropoutNow();
  const answers = content.classifiers.map((net) => classify(net, pixels, dropout));
  const milliseconds = performance.now() - start;
  paint(byId("shown"), pixels);
  byId("shown-about").textContent = trial.about();
  showAnswers(answers, milliseconds);
  rebuildAll(pixels, dropout);
}

function largest(values) {
  return values.reduce((best, value, k) => (value > values[best] ? k : best), 0);
}

function showAnswers(answers, milliseconds) {
  const unit = document.querySelector("[name=unit]:checked").value;
  const scale = Math.max(1e-9, ...answers.flatMap(({ logits }) => [...logits]));
  const winners = answers.map(({ probabilities }) => largest(probabilities));
  for (const row of all("[data-class]")) {
    const label = Number(row.dataset.class);
    for (const cell of all("[data-net]", row)) {
      const net = Number(cell.dataset.net);
      const { logits, probabilities } = answers[net];
      const logit = unit === "live_logit";
      const share = logit ? Math.max(logits[label], 0) / scale : probabilities[label];
      cell.querySelector(".bar").style.setProperty("--share", share.toFixed(4));
      cell.querySelector(".value").textContent = logit
        ? number(logits[label], 2) : percent(probabilities[label]);
      cell.classList.toggle("first", winners[net] === label);
    }
  }
  const words = winners.map((label, net) =>
    `${content.classes[label]} ${percent(answers[net].probabilities[label], 0)}`);
  for (const cell of all("[data-winner]")) cell.textContent = words[cell.dataset.winner];
  const [first, second] = content.classifiers.map((net) => net.name);
  byId("answer").textContent = say("answer", {
    first, second, one: words[0], other: words[1], ms: number(milliseconds, 0),
  });
}

// --- where a picture comes from

function takeTestImage() {
  const index = Number(named("picture").value);
  const row = arrayOf(content.images.rows).values[index];
  const label = arrayOf(content.images.labels).values[index];
  take({
    pixels: testImage(index),
    about: () => say("about_test", { row, name: content.classes[label] }),
  });
}

function leaf(step) {
  const choice = named("picture");
  const count = choice.options.length;
  choice.selectedIndex = (choice.selectedIndex + step + count) % count;
  takeTestImage();
}

async function takePhoto(file) {
  if (!file) return;
  chooseSource("live_from_photo");
  try {
    take({ ...await readPhoto(file), about: () => say("about_photo", { name: file.name }) });
  } catch (error) {
    complain(error);
  }
}

function chooseSource(source) {
  document.querySelector(`[name=source][value=${source}]`).checked = true;
  for (const one of all(".source")) one.hidden = one.dataset.source !== source;
}

function startTrial() {
  for (const choice of all("[name=source]")) {
    choice.addEventListener("change", () => {
      chooseSource(choice.value);
      if (choice.value === "live_from_test") takeTestImage();
      if (choice.value === "live_from_drawing") takeDrawing();
    });
  }
  named("picture").addEventListener("change", takeTestImage);
  byId("previous").addEventListener("click", () => leaf(-1));
  byId("next").addEventListener("click", () => leaf(1));
  for (const name of ["file", "camera"]) {
    named(name).addEventListener("change", ({ target }) => {
      takePhoto(target.files[0]);
      target.value = ""; // else the same file could not be chosen twice
    });
  }
  const drop = document.querySelector(".drop");
  addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  addEventListener("dragleave", () => drop.classList.remove("over"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    takePhoto(event.dataTransfer.files[0]);
  });
  addEventListener("paste", (event) => { takePhoto(event.clipboardData.files[0]); });
  const soon = oncePerFrame(answer);
  for (const name of ["noise", "cover"]) named(name).addEventListener("input", soon);
  named("side").addEventListener("change", answer);
  for (const one of all("[name=unit]")) one.addEventListener("change", answer);
  named("dropout").addEventListener("change", ({ target }) => {
    byId("again").disabled = !target.checked;
    answer();
  });
  byId("again").addEventListener("click", () => {
    trial.seed += 1;
    answer();
  });
}
