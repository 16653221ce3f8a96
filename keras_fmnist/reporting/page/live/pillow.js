// What photos.py has Pillow do, to the same bytes: cutting, grey, compositing, reducing, resampling.
// A picture is `{ width, height, planes }`, with one Uint8Array a plane: grey, or red, green, blue.

// Python's round: a half goes to the even number.
function roundHalfEven(value) {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

function mapPlanes(image, width, height, turn) {
  return { width, height, planes: image.planes.map(turn) };
}

// What is inside a box, whose sides belong to it.
function crop(image, { left, right, top, bottom }) {
  const [width, height] = [Math.max(right - left + 1, 0), Math.max(bottom - top + 1, 0)];
  return mapPlanes(image, width, height, (plane) => {
    const out = new Uint8Array(width * height);
    for (let y = 0; y < height; y++) {
      const start = (top + y) * image.width + left;
      out.set(plane.subarray(start, start + width), y * width);
    }
    return out;
  });
}

// Convert.c, L24: the weights of ITU-R 601-2 in 16 bits.
function toGrey({ width, height, planes }) {
  const [red, green, blue] = planes;
  const grey = Uint8Array.from(red, (value, k) =>
    (value * 19595 + green[k] * 38470 + blue[k] * 7471 + 0x8000) >> 16);
  return { width, height, planes: [grey] };
}

// AlphaComposite.c over an opaque ground of one brightness.
function composite({ width, height, planes }, alpha, ground) {
  const over = (plane) => Uint8Array.from(plane, (value, k) => {
    const blend = (value * alpha[k] + ground * (255 - alpha[k]) + 128) << 7;
    return (blend + (blend >> 8)) >> 15;
  });
  return { width, height, planes: planes.map(over) };
}

// Reduce.c: means of whole blocks, rounded; those at the last edges are smaller.
function reduceBlocks(image, across, down) {
  const { width, height } = image;
  const columns = Math.ceil(width / across);
  const rows = Math.ceil(height / down);
  const turn = (plane) => {
    const out = new Uint8Array(columns * rows);
    for (let y = 0; y < rows; y++) {
      const bottom = Math.min((y + 1) * down, height);
      for (let x = 0; x < columns; x++) {
        const right = Math.min((x + 1) * across, width);
        const count = (bottom - y * down) * (right - x * across);
        let sum = count >> 1;
        for (let row = y * down; row < bottom; row++) {
          for (let k = row * width + x * across; k < row * width + right; k++) sum += plane[k];
        }
        out[y * columns + x] = Math.floor((sum * Math.floor(2 ** 24 / count)) / 2 ** 24);
      }
    }
    return out;
  };
  return mapPlanes(image, columns, rows, turn);
}

// Resample.c: two passes of weights in 22 bits, each rounded to bytes.
const BICUBIC = {
  reach: 2,
  weight: (x) => {
    x = Math.abs(x);
    if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0;
  },
};
const sinc = (x) => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI));
const LANCZOS = { reach: 3, weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) };
const ONE = 1 << 22;

function resamplingWeights(size, length, count, filter) {
  const scale = length / count;
  const spread = Math.max(scale, 1);
  const reach = filter.reach * spread;
  return Array.from({ length: count }, (_, k) => {
    const centre = (k + 0.5) * scale;
    const first = Math.max(Math.trunc(centre - reach + 0.5), 0);
    const last = Math.min(Math.trunc(centre + reach + 0.5), size);
    const weights = [];
    let sum = 0;
    for (let x = first; x < last; x++) {
      const weight = filter.weight((x - centre + 0.5) * (1 / spread));
      weights.push(weight);
      sum += weight;
    }
    const whole = weights.map((weight) => {
      const share = (sum === 0 ? weight : weight / sum) * ONE;
      return Math.trunc(share < 0 ? share - 0.5 : share + 0.5);
    });
    return { first, weights: whole };
  });
}

function resampleLines(plane, out, weights, lines, step, along, outStep, outAlong) {
  for (let line = 0; line < lines; line++) {
    for (let k = 0; k < weights.length; k++) {
      const { first, weights: each } = weights[k];
      let sum = ONE >> 1;
      let at = line * step + first * along;
      for (let x = 0; x < each.length; x++, at += along) sum += plane[at] * each[x];
      out[line * outStep + k * outAlong] = Math.min(Math.max(sum >> 22, 0), 255);
    }
  }
}

function resampleRows(image, count, length, filter) {
  const { width, height } = image;
  if (count === width && length === width) return image;
  const weights = resamplingWeights(width, length, count, filter);
  return mapPlanes(image, count, height, (plane) => {
    const out = new Uint8Array(count * height);
    resampleLines(plane, out, weights, height, width, 1, count, 1);
    return out;
  });
}

function resampleColumns(image, count, length, filter) {
  const { width, height } = image;
  if (count === height && length === height) return image;
  const weights = resamplingWeights(height, length, count, filter);
  return mapPlanes(image, width, count, (plane) => {
    const out = new Uint8Array(width * count);
    resampleLines(plane, out, weights, width, 1, width, 1, width);
    return out;
  });
}

// `Image.resize`. `lengths` are how much of the picture is taken, where blocks were reduced before.
function resize(image, width, height, filter, lengths = [image.width, image.height]) {
  const [across, down] = lengths.map(Math.fround); // Pillow's box holds 32-bit floats
  const lost = [image.width - width, image.height - height];
  if (lost[1] > 0 && lost[1] > lost[0] * 2) {
    return resampleRows(resampleColumns(image, height, down, filter), width, across, filter);
  }
  return resampleColumns(resampleRows(image, width, across, filter), height, down, filter);
}

// `Image.thumbnail`: at most so many pixels a side, the aspect kept.
function thumbnail(image, most) {
  const { width, height } = image;
  if (width <= most && height <= most) return image;
  const aspect = width / height;
  const nearest = (value, off) => {
    const [low, high] = [Math.floor(value), Math.ceil(value)];
    return Math.max(off(low) <= off(high) ? low : high, 1);
  };
  const size = aspect <= 1
    ? [nearest(most * aspect, (n) => Math.abs(aspect - n / most)), most]
    : [most, nearest(most / aspect, (n) => (n === 0 ? 0 : Math.abs(aspect - most / n)))];
  const factors = [width / size[0], height / size[1]].map((by) => Math.trunc(by / 2) || 1);
  if (Math.max(...factors) === 1) return resize(image, ...size, BICUBIC);
  const reduced = reduceBlocks(image, ...factors);
  return resize(reduced, ...size, BICUBIC, [width / factors[0], height / factors[1]]);
}
