// A user's own picture in the data set's terms, by the steps of photos.py, each of them to look at.

const WORKING = 560; // pixels a side: more add nothing to 28, and cost memory
const MOST_PIXELS = 89478485; // as many as `predict` takes
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
  return toDataSet(context.getImageData(0, 0, canvas.width, canvas.height), { orientation });
}

// Turns the RGBA pixels of a picture into the data set's terms; of one without `mayHaveFrame` nothing
// is taken off.
// Returns `{ pixels, steps }`: 784 bytes, 0 is background; and what was done, in order, each step as
// `{ key, values, image }` with a key of the page's words and the picture that it left.
function toDataSet(rgba, { orientation = 1, mayHaveFrame = true } = {}) {
  const steps = [];
  const note = (key, image, values = {}) => { steps.push({ key, image, values }); };
  const image = thumbnail(opaque(turnUpright(split(rgba), orientation, note), note), WORKING);
  let grey = toGrey(image);
  note("step_grey", grey);
  let pixels = grey.planes[0];
  if (image.width === SIDE && image.height === SIDE) { // the data set's own images pass unchanged
    if (findBackground(grey) > 127) {
      pixels = pixels.map((value) => 255 - value);
      note("step_inverted", { ...grey, planes: [pixels] });
    }
  } else {
    const inside = mayHaveFrame ? takeFramesOff(grey) : grey;
    if (inside !== grey) {
      const left = (inside.width * inside.height) / (grey.width * grey.height);
      note("step_frame_off", inside, { percent: roundHalfEven(100 * left) });
    }
    pixels = levelAndFit(inside, note);
  }
  if (pixels.reduce((most, value) => Math.max(most, value)) <= SPECK) {
    throw new NoPicture("nothing_on_it");
  }
  return { pixels, steps };
}

function levelAndFit(grey, note) {
  let values = Float64Array.from(grey.planes[0]);
  let ground = findGround(grey);
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
  note("step_size", withoutAlpha(image), { width: w, height: h });
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
  note("step_upright", withoutAlpha(turned));
  return turned;
}

const withoutAlpha = ({ width, height, planes }) => ({ width, height, planes: planes.slice(0, 3) });

// Fills transparent corners; puts what is transparent else on white, or on black where the rest is
// light.
function opaque(upright, note) {
  const filled = fillCorners(upright);
  if (filled) note("step_edges_filled", withoutAlpha(filled));
  const [image, alpha] = [withoutAlpha(filled ?? upright), (filled ?? upright).planes[3]];
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

// Whether what differs from the background is mostly darker than it.
function isDarker(values, ground) {
  let sum = 0;
  for (let k = 0; k < values.length; k++) {
    const off = values[k] - ground[k];
    if (Math.abs(off) > SPECK) sum += off;
  }
  return sum < 0;
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
  const cut = crop(image, box);
  const { width, height } = cut;
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
