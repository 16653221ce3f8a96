// A user's own picture in the data set's terms, by the steps of photos.py, each of them to look at.

const WORKING = 560; // pixels a side: more add nothing to 28, and cost memory
const MOST_PIXELS = 89478485; // as many as `predict` takes
const SPECK = 13; // of 255: what is 5 % off the background is background
const PLAIN = 64; // of 255: what differs more from most of the edge is no background
const NOISE = 200; // pixels a side for which the median over one more on each side is taken

class NoPicture extends Error {} // its message is a key of the page's words

// Reads a file; returns `{ pixels, steps }`, see `toDataSet`.
async function readPhoto(file) {
  const { bytes, orientation } = takeOrientation(await file.arrayBuffer());
  let bitmap;
  try {
    bitmap = await createImageBitmap(new Blob([bytes]), {
      premultiplyAlpha: "none", colorSpaceConversion: "none",
    });
  } catch {
    throw new NoPicture("cannot_be_read");
  }
  if (bitmap.width * bitmap.height > MOST_PIXELS) throw new NoPicture("too_large");
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: bitmap.width, height: bitmap.height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return toDataSet(context.getImageData(0, 0, canvas.width, canvas.height), orientation);
}

// Turns the RGBA pixels of a picture into the data set's terms.
// Returns `{ pixels, steps }`: 784 bytes, 0 is background; and what was done, in order, each step as
// `{ key, values, image }` with a key of the page's words and the picture that it left.
function toDataSet(rgba, orientation = 1) {
  const steps = [];
  const note = (key, image, values = {}) => { steps.push({ key, image, values }); };
  const image = thumbnail(opaque(turnUpright(split(rgba), orientation, note), note), WORKING);
  let grey = toGrey(image);
  note("step_grey", grey);
  let pixels = grey.planes[0];
  if (image.width === SIDE && image.height === SIDE) { // the data set's own images pass unchanged
    if (edgeMedian(pixels, SIDE, SIDE) > 127) {
      pixels = pixels.map((value) => 255 - value);
      note("step_inverted", { ...grey, planes: [pixels] });
    }
  } else {
    pixels = levelAndFit(grey, note);
  }
  if (pixels.reduce((most, value) => Math.max(most, value)) <= SPECK) {
    throw new NoPicture("nothing_on_it");
  }
  return { pixels, steps };
}

function levelAndFit(grey, note) {
  const { width, height } = grey;
  let values = Float64Array.from(grey.planes[0]);
  let ground = findGround(values, width, height);
  if (isDarker(values, ground)) {
    values = values.map((value) => 255 - value);
    ground = ground.map((value) => 255 - value);
    note("step_inverted", { ...grey, planes: [Uint8Array.from(values)] });
  }
  let [least, most] = [Infinity, -Infinity];
  for (const value of ground) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  const levelled = Uint8Array.from(values, (value, k) => {
    const range = Math.max(255 - ground[k], 1); // the edge itself may be white
    return roundHalfEven(Math.min(Math.max((value - ground[k]) * (255 / range), 0), 255));
  });
  const image = { ...grey, planes: [levelled] };
  if (most - least > SPECK) note("step_levelled", image);
  return fit(image, note);
}

// Planes and the alpha of RGBA pixels.
function split({ width, height, data }) {
  const planes = [0, 1, 2, 3].map((channel) => {
    const plane = new Uint8Array(width * height);
    for (let k = 0; k < plane.length; k++) plane[k] = data[4 * k + channel];
    return plane;
  });
  return { width, height, planes };
}

// Where what belongs at (x, y) stands in a picture of so many columns and rows, by orientation.
const TURNS = {
  2: (x, y, w) => [w - 1 - x, y],
  3: (x, y, w, h) => [w - 1 - x, h - 1 - y],
  4: (x, y, w, h) => [x, h - 1 - y],
  5: (x, y) => [y, x],
  6: (x, y, w, h) => [y, h - 1 - x],
  7: (x, y, w, h) => [w - 1 - y, h - 1 - x],
  8: (x, y, w) => [w - 1 - y, x],
};

function turnUpright(image, orientation, note) {
  const { width: w, height: h } = image;
  const show = ({ width, height, planes }) => ({ width, height, planes: planes.slice(0, 3) });
  note("step_size", show(image), { width: w, height: h });
  const place = TURNS[orientation];
  if (!place) return image;
  const [width, height] = orientation > 4 ? [h, w] : [w, h];
  const at = (x, y) => {
    const [column, row] = place(x, y, w, h);
    return row * w + column;
  };
  const first = at(0, 0);
  const [along, down] = [at(1, 0) - first, at(0, 1) - first];
  const turned = mapPlanes(image, width, height, (plane) => {
    const out = new Uint8Array(plane.length);
    for (let y = 0, k = 0; y < height; y++) {
      for (let x = 0, from = first + y * down; x < width; x++, from += along) out[k++] = plane[from];
    }
    return out;
  });
  note("step_upright", show(turned));
  return turned;
}

// Puts what is transparent on white, or on black where what is not is light.
function opaque({ width, height, planes }, note) {
  const [alpha, image] = [planes[3], { width, height, planes: planes.slice(0, 3) }];
  if (alpha.every((value) => value === 255)) return image;
  const grey = toGrey(image).planes[0];
  let [sum, weight] = [0, 0];
  for (let k = 0; k < alpha.length; k++) {
    sum += grey[k] * alpha[k];
    weight += alpha[k];
  }
  const light = weight > 0 && sum / weight > 127; // on white a light garment would be lost
  const whole = composite(image, alpha, light ? 0 : 255);
  note(light ? "step_on_black" : "step_on_white", whole);
  return whole;
}

// Calls `visit` with every place on the edge of a picture.
function forEdge(width, height, visit) {
  for (let k = 0; k < width * height; k++) {
    const [row, column] = [Math.floor(k / width), k % width];
    if (row === 0 || row === height - 1 || column === 0 || column === width - 1) {
      visit(k, row, column);
    }
  }
}

function median(values) {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// What most of the edge has. Edges are counted as photos.py does: of one row it counts both.
function edgeMedian(values, width, height) {
  const edge = [];
  for (let x = 0; x < width; x++) edge.push(values[x], values[(height - 1) * width + x]);
  for (let y = 1; y < height - 1; y++) edge.push(values[y * width], values[(y + 1) * width - 1]);
  return median(edge);
}

// Whether what differs from the background is mostly darker than it.
function isDarker(values, ground) {
  let sum = 0;
  for (let k = 0; k < values.length; k++) {
    const off = values[k] - ground[k];
    if (Math.abs(off) > SPECK) sum += off;
  }
  return sum < 0;
}

// The background everywhere: a plane through the edge, for light comes from one side.
function findGround(values, width, height) {
  const middle = edgeMedian(values, width, height);
  const off = (k) => Math.abs(values[k] - middle);
  let nearest = Infinity;
  forEdge(width, height, (k) => { nearest = Math.min(nearest, off(k)); });
  const bound = Math.max(PLAIN, nearest + 1);
  // The normal equations of value ≈ a + b · row + c · column.
  const matrix = [[0, 0, 0], [0, 0, 0], [0, 0, 0]];
  const right = [0, 0, 0];
  let [least, most] = [Infinity, -Infinity];
  forEdge(width, height, (k, row, column) => {
    if (off(k) >= bound) return;
    const place = [1, row, column];
    for (let i = 0; i < 3; i++) {
      for (let j = 0; j < 3; j++) matrix[i][j] += place[i] * place[j];
      right[i] += place[i] * values[k];
    }
    least = Math.min(least, values[k]);
    most = Math.max(most, values[k]);
  });
  const [a, b, c] = solveLeastNorm(matrix, right);
  return Float64Array.from(values, (_, k) => {
    const plane = a + b * Math.floor(k / width) + c * (k % width);
    return Math.min(Math.max(plane, least), most);
  });
}

// The shortest solution of symmetric equations, which may be too few: a picture of one row has
// them. By Jacobi's rotations, which make the matrix diagonal.
function solveLeastNorm(matrix, right) {
  const a = matrix.map((row) => [...row]);
  const vectors = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];
  for (let sweep = 0; sweep < 30; sweep++) {
    for (const [p, q] of [[0, 1], [0, 2], [1, 2]]) {
      if (Math.abs(a[p][q]) < 1e-300) continue;
      const theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
      const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
      const c = 1 / Math.hypot(t, 1);
      const s = t * c;
      const turn = (one, other) => [c * one - s * other, s * one + c * other];
      for (let k = 0; k < 3; k++) [a[k][p], a[k][q]] = turn(a[k][p], a[k][q]);
      for (let k = 0; k < 3; k++) [a[p][k], a[q][k]] = turn(a[p][k], a[q][k]);
      for (const row of vectors) [row[p], row[q]] = turn(row[p], row[q]);
    }
  }
  const most = Math.max(...[0, 1, 2].map((k) => a[k][k]));
  const solution = [0, 0, 0];
  for (let k = 0; k < 3; k++) {
    if (a[k][k] <= most * 1e-12) continue; // squared as the singular values are here
    const along = [0, 1, 2].reduce((sum, i) => sum + vectors[i][k] * right[i], 0) / a[k][k];
    for (let i = 0; i < 3; i++) solution[i] += along * vectors[i][k];
  }
  return solution;
}

// Which places stay above SPECK where each takes the median of its neighbours: the noise of a
// camera must not count as part of the object. Beyond the edge its own pixels go on.
function findObject(plane, width, height) {
  const reach = Math.floor(Math.max(width, height) / NOISE);
  const enough = ((2 * reach + 1) ** 2 + 1) / 2; // so many above it put the median above it
  const box = { left: width, right: -1, top: height, bottom: -1 };
  const inside = (k, size) => Math.min(Math.max(k, 0), size - 1);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let above = 0;
      for (let dy = -reach; dy <= reach; dy++) {
        const row = inside(y + dy, height) * width;
        for (let dx = -reach; dx <= reach; dx++) {
          if (plane[row + inside(x + dx, width)] > SPECK) above++;
        }
      }
      if (above < enough) continue;
      box.left = Math.min(box.left, x);
      box.right = Math.max(box.right, x);
      box.top = Math.min(box.top, y);
      box.bottom = Math.max(box.bottom, y);
    }
  }
  return box.right < 0 ? null : box;
}

// Cuts to the object, scales its longer side to 28 pixels and centres it.
function fit(image, note) {
  const whole = new Uint8Array(SIDE * SIDE);
  const box = findObject(image.planes[0], image.width, image.height);
  if (!box) return whole;
  note("step_cut", { ...image, box });
  const [width, height] = [box.right - box.left + 1, box.bottom - box.top + 1];
  const cut = mapPlanes(image, width, height, (plane) => {
    const out = new Uint8Array(width * height);
    for (let y = 0; y < height; y++) {
      const start = (box.top + y) * image.width + box.left;
      out.set(plane.subarray(start, start + width), y * width);
    }
    return out;
  });
  const scale = SIDE / Math.max(height, width);
  const across = Math.max(1, roundHalfEven(width * scale));
  const down = Math.max(1, roundHalfEven(height * scale));
  const small = resize(cut, across, down, LANCZOS).planes[0];
  const [left, top] = [(SIDE - across) >> 1, (SIDE - down) >> 1];
  for (let y = 0; y < down; y++) {
    whole.set(small.subarray(y * across, (y + 1) * across), (top + y) * SIDE + left);
  }
  note("step_fitted", { width: SIDE, height: SIDE, planes: [whole] });
  return whole;
}
