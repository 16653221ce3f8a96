// The map of an autoencoder's codes, the line between two images, and its numbers one by one.

const MARGIN = 24; // canvas pixels around the points
const NEAR = 18; // canvas pixels within which a press pins an image
const walk = { codes: [], points: null, net: null, pins: { A: null, B: null }, next: "A", values: null };

const walked = () => content.autoencoders[Number(named("space").value)];
const mapOf = (net) => ({
  x: arrayOf(net.map.x).values, y: arrayOf(net.map.y).values, labels: arrayOf(net.map.labels).values,
});

function bounds(values) {
  let [least, most] = [Infinity, -Infinity];
  for (const value of values) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return [least, most];
}

// How the map of a net stands on the canvas: the same scale on both axes, for PCA keeps distances.
function scaleOf(net) {
  const { x, y } = mapOf(net);
  const [[left, right], [low, high]] = [bounds(x), bounds(y)];
  const size = byId("map").width - 2 * MARGIN;
  const unit = size / Math.max(right - left, high - low);
  const [offX, offY] = [(size - unit * (right - left)) / 2, (size - unit * (high - low)) / 2];
  return {
    left, right, low, high,
    toCanvas: (a, b) => [MARGIN + offX + (a - left) * unit, MARGIN + offY + (high - b) * unit],
    toMap: (a, b) => [(a - MARGIN - offX) / unit + left, high - (b - MARGIN - offY) / unit],
  };
}

// The code at a place of the map: the mean of all codes, and so far along either axis.
function codeAt(net, x, y) {
  const mean = arrayOf(net.plane.mean).values;
  const axes = arrayOf(net.plane.axes).values;
  return mean.map((value, k) => value + x * axes[k] + y * axes[mean.length + k]);
}

// Where a code lies on the map.
function placeOf(net, code) {
  const mean = arrayOf(net.plane.mean).values;
  const axes = arrayOf(net.plane.axes).values;
  const place = [0, 0];
  code.forEach((value, k) => {
    place[0] += (value - mean[k]) * axes[k];
    place[1] += (value - mean[k]) * axes[mean.length + k];
  });
  return place;
}

// Where the test images of the page lie on the map, as `[index, x, y]`; it holds the first ones.
function samplePlaces(net) {
  const { x, y } = mapOf(net);
  return [...arrayOf(content.images.rows).values]
    .map((row, index) => [index, x[row], y[row]])
    .filter(([, across]) => across !== undefined);
}

// --- the map

// The points alone, which are drawn once for a net and a colour of the page.
function pointsOf(net, scale, ink) {
  const key = `${net.id} ${ink}`;
  if (walk.points?.key === key) return walk.points.canvas;
  const { width, height } = byId("map");
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d");
  const { x, y, labels } = mapOf(net);
  context.globalAlpha = 0.65;
  labels.forEach((label, k) => {
    context.fillStyle = content.colours[label];
    context.beginPath();
    context.arc(...scale.toCanvas(x[k], y[k]), 3.2, 0, 2 * Math.PI);
    context.fill();
  });
  context.globalAlpha = 1;
  context.strokeStyle = ink;
  context.lineWidth = 1.2;
  for (const [, across, up] of samplePlaces(net)) {
    context.beginPath();
    context.arc(...scale.toCanvas(across, up), 5, 0, 2 * Math.PI);
    context.stroke();
  }
  walk.points = { key, canvas };
  return canvas;
}

function drawMap() {
  const net = walked();
  const scale = scaleOf(net);
  const canvas = byId("map");
  const context = canvas.getContext("2d");
  const look = getComputedStyle(canvas);
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.drawImage(pointsOf(net, scale, look.color), 0, 0);
  Object.assign(context, { strokeStyle: look.color });
  drawPins(context, net, scale, look);
  drawHere(context, scale, look);
}

function drawPins(context, net, scale, look) {
  const ends = ["A", "B"].map((pin) => placeOf(net, walk.pins[pin].code));
  const onCanvas = ends.map((place) => scale.toCanvas(...place));
  context.lineWidth = 2.5;
  context.beginPath();
  context.moveTo(...onCanvas[0]);
  context.lineTo(...onCanvas[1]);
  context.stroke();
  const share = Number(named("between").value);
  const dot = [0, 1].map((k) => onCanvas[0][k] + share * (onCanvas[1][k] - onCanvas[0][k]));
  context.fillStyle = look.color;
  context.beginPath();
  context.arc(...dot, 6, 0, 2 * Math.PI);
  context.fill();
  Object.assign(context, { font: "bold 17px system-ui, sans-serif", textAlign: "center", textBaseline: "middle" });
  ["A", "B"].forEach((pin, k) => {
    context.fillStyle = look.color;
    context.beginPath();
    context.arc(...onCanvas[k], 13, 0, 2 * Math.PI);
    context.fill();
    context.fillStyle = look.backgroundColor;
    context.fillText(pin, onCanvas[k][0], onCanvas[k][1] + 1);
  });
}

function drawHere(context, scale, look) {
  const [x, y] = scale.toCanvas(...here(scale));
  context.lineWidth = 2;
  context.strokeStyle = look.color;
  context.beginPath();
  context.moveTo(x - 14, y);
  context.lineTo(x + 14, y);
  context.moveTo(x, y - 14);
  context.lineTo(x, y + 14);
  context.stroke();
}

// Where the sliders stand on the map.
function here({ left, right, low, high }) {
  const [a, b] = ["axis-x", "axis-y"].map((name) => Number(named(name).value));
  return [left + a * (right - left), low + b * (high - low)];
}

const showHereSoon = oncePerFrame(() => showHere());

function standAt(x, y, { left, right, low, high }) {
  named("axis-x").value = (x - left) / (right - left);
  named("axis-y").value = (y - low) / (high - low);
  showHereSoon();
}

function showHere() {
  const net = walked();
  const scale = scaleOf(net);
  const [x, y] = here(scale);
  paint(byId("here"), decode(net, codeAt(net, x, y)));
  const points = mapOf(net);
  let [best, nearest] = [0, Infinity];
  points.x.forEach((value, k) => {
    const distance = (value - x) ** 2 + (points.y[k] - y) ** 2;
    if (distance < nearest) [best, nearest] = [k, distance];
  });
  byId("here-about").textContent = say("here_about", { name: content.classes[points.labels[best]] });
  drawMap();
}

// --- the line

function setPin(pin) {
  const choice = named(`pin-${pin}`).value;
  if (choice === "given") {
    walk.pins[pin] = { code: walk.codes[Number(named("space").value)], pixels: currentPixels() };
  } else {
    const pixels = Float32Array.from(testImage(Number(choice)), (value) => value / 255);
    walk.pins[pin] = { code: encode(walked(), pixels), pixels };
  }
  paint(byId(`pin-${pin}`), walk.pins[pin].pixels);
}

function showBetween() {
  const share = Number(named("between").value);
  const [first, last] = [walk.pins.A.code, walk.pins.B.code];
  paint(byId("between"), decode(walked(), first.map((value, k) => value + share * (last[k] - value))));
}

function pinNear(a, b) {
  const net = walked();
  const scale = scaleOf(net);
  let [best, nearest] = [0, Infinity];
  for (const [index, across, up] of samplePlaces(net)) {
    const [x, y] = scale.toCanvas(across, up);
    const distance = Math.hypot(x - a, y - b);
    if (distance < nearest) [best, nearest] = [index, distance];
  }
  if (nearest > NEAR) return;
  named(`pin-${walk.next}`).value = String(best);
  setPin(walk.next);
  walk.next = walk.next === "A" ? "B" : "A";
  showBetween();
  drawMap();
}

// --- numbers one by one

function layUnits() {
  const net = walked();
  byId("units").replaceChildren(...net.units.map(({ unit, least, most }) => {
    const label = document.createElement("label");
    label.className = "slider";
    const name = document.createElement("span");
    name.textContent = say("unit", { unit });
    const input = document.createElement("input");
    Object.assign(input, { type: "range", min: least, max: most, step: (most - least) / 200 });
    input.dataset.unit = unit;
    input.addEventListener("input", () => {
      walk.values[unit] = Number(input.value);
      showUnits();
    });
    label.append(name, input);
    return label;
  }));
  byId("units-about").textContent = say("units_about", {
    count: net.units.length, all: net.numbers, never: net.never,
  });
  resetUnits();
}

function resetUnits() {
  walk.values = Float32Array.from(walk.codes[Number(named("space").value)]);
  for (const input of all("[data-unit]")) input.value = walk.values[Number(input.dataset.unit)];
  showUnits();
}

function showUnits() {
  paint(byId("unit-picture"), decode(walked(), walk.values));
}

// --- all of it

// Another picture stands above, of which the autoencoder `k` makes this code.
function codeChanged(k, code) {
  walk.codes[k] = code;
  if (content.autoencoders[k] !== walked()) return;
  if (walk.net !== walked()) {
    showSpace();
    return;
  }
  for (const pin of ["A", "B"]) if (named(`pin-${pin}`).value === "given") setPin(pin);
  showBetween();
  drawMap();
  resetUnits();
}

function showSpace() {
  const net = walked();
  if (!walk.codes[Number(named("space").value)]) return; // it is shown when its code is there
  walk.net = net;
  const { labels } = mapOf(net);
  const [first, second] = net.map.share.map((share) => percent(share, 0));
  byId("map-about").textContent = say("map_about", { images: labels.length, first, second });
  for (const pin of ["A", "B"]) setPin(pin);
  layUnits();
  showBetween();
  showHere();
}

function startWalk() {
  byId("legend").replaceChildren(...content.classes.map((name, label) => {
    const item = document.createElement("li");
    const spot = document.createElement("i");
    spot.style.background = content.colours[label];
    item.append(spot, name);
    return item;
  }));
  named("space").addEventListener("change", showSpace);
  for (const name of ["axis-x", "axis-y"]) named(name).addEventListener("input", showHereSoon);
  named("between").addEventListener("input", oncePerFrame(() => { showBetween(); drawMap(); }));
  for (const pin of ["A", "B"]) {
    named(`pin-${pin}`).addEventListener("change", () => { setPin(pin); showBetween(); drawMap(); });
  }
  byId("units-back").addEventListener("click", resetUnits);
  const map = byId("map");
  const place = (event) => {
    const box = map.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top].map((at) => at * map.width / box.width);
  };
  const follow = (event) => {
    const scale = scaleOf(walked());
    standAt(...scale.toMap(...place(event)), scale);
  };
  map.addEventListener("pointermove", follow);
  map.addEventListener("pointerdown", (event) => { follow(event); pinNear(...place(event)); });
}
