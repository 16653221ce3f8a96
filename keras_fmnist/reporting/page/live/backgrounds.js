// What on a picture is no object, by the steps of backgrounds.py: its background, a frame around it,
// bars, transparent corners. A mask is a picture of one plane, of 0 and 1.

const SPECK = 13; // of 255: what is 5 % off the background is background
const PLAIN = 64; // of 255: what differs more from most of the edge is no background
const FRAME = 6; // of 255: what is nearer to the colour of a corner belongs to the frame
const STRAIGHT = 0.9; // of each side of what a frame leaves; a garment is touched here and there
const PLAIN_EDGE = 0.6; // of the edge inside a frame, which has the colour of a background
const SMALLEST = 0.01; // of the picture inside a frame, which stands out from that background
const PLAIN_MARGIN = 0.02; // of its shorter side, which is background in a picture of something
const ROUNDED = 0.55; // of each side of a photo with transparent corners, at least, is opaque
const BLUR = 2; // pixels beside such a line that are not as the background is
const THICKEST = 3; // pixels of a line that JPEG may have blurred

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

// What most of the edge has. Edges are counted as backgrounds.py does: of one row it counts both.
function findBackground({ width, height, planes: [values] }) {
  const edge = [];
  for (let x = 0; x < width; x++) edge.push(values[x], values[(height - 1) * width + x]);
  for (let y = 1; y < height - 1; y++) edge.push(values[y * width], values[(y + 1) * width - 1]);
  return median(edge);
}

// The background everywhere: a plane through the edge, for light comes from one side.
function findGround(image) {
  const { width, height, planes: [values] } = image;
  const middle = findBackground(image);
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

// What is inside a frame, or between bars; of several, one within the other, the innermost. The
// picture itself where there is neither.
function takeFramesOff(image) {
  let box;
  while ((box = findInside(image))) image = crop(image, box);
  return image;
}

// A photo of four planes whose corners are transparent, cut to the box around what is opaque (alpha
// over 127), with them filled: left of the first opaque pixel of a row, and right of the last, each
// pixel becomes as that one is. Null where it is no such photo.
function fillCorners(image) {
  if (image.planes[3].every((value) => value > 127)) return null;
  const whole = mark({ ...image, planes: [image.planes[3]] }, (value) => value > 127);
  const box = findBox(whole, 0);
  if (!box) return null;
  const opaque = crop(whole, box);
  if (listSides(opaque).some((line) => shareOf(line) < ROUNDED)) return null;
  const { width, height, planes: [isOpaque] } = opaque;
  const from = new Uint32Array(width * height);
  for (let start = 0; start < from.length; start += width) {
    const row = isOpaque.subarray(start, start + width);
    const [first, last] = row.includes(1) ? [row.indexOf(1), row.lastIndexOf(1)] : [0, width - 1];
    for (let x = 0; x < width; x++) from[start + x] = start + Math.min(Math.max(x, first), last);
  }
  const filled = mapPlanes(crop(image, box), width, height, (plane) =>
    Uint8Array.from(from, (k) => plane[k]));
  return showsObject(toGrey(filled)) ? filled : null;
}

// The box inside a frame or between bars; null where there is neither.
//
// Either what differs from the pixel in a corner fills a box with straight sides that is not the
// whole picture. Or the outermost pixels at each side differ from the background of what is left
// without 1 to `THICKEST` pixels there: JPEG blurs thin lines. Either way it must be a picture
// itself, in the first case perhaps within a line of such a thickness; and where the frame is not of
// one colour to the bit, `BLUR` more pixels are cut at each side.
function findInside(image) {
  const { width, height, planes: [values] } = image;
  const isStraight = (mask) => listSides(mask).every((line) => shareOf(line) >= STRAIGHT);
  for (const at of [0, width - 1, (height - 1) * width, height * width - 1]) {
    const differs = mark(image, (value) => Math.abs(value - values[at]) > FRAME);
    const box = findBox(differs, 0.1);
    if (!box) continue;
    const inside = crop(image, box);
    if (inside.width === width && inside.height === height) continue;
    if (!isStraight(crop(differs, box))) continue;
    for (let thickness = 0; thickness <= THICKEST; thickness++) {
      if (!showsObject(cutSides(inside, thickness))) continue;
      const isExact = values.every((value, k) =>
        value === values[at] || isInBox(box, k % width, Math.floor(k / width)));
      return isExact ? box : shrink(box, BLUR);
    }
  }
  const thickest = Math.min(THICKEST, Math.floor(Math.min(width, height) / 8));
  for (let thickness = 1; thickness <= thickest; thickness++) {
    const inside = cutSides(image, thickness);
    const background = findBackground(inside);
    if (!isStraight(mark(image, (value) => Math.abs(value - background) > SPECK))) continue;
    if (showsObject(inside)) return shrink(boxOf(image), thickness + BLUR);
  }
  return null;
}

// Whether most of the edge is plain, a margin deep, and something inside is not as it is. A garment
// in a box of its own has no margin: at most a soft edge.
function showsObject(image) {
  const shorter = Math.min(image.width, image.height);
  const margin = Math.max(2, roundHalfEven(PLAIN_MARGIN * shorter));
  if (shorter < 4 * margin) return false; // too small to tell
  const background = findBackground(image);
  const near = mark(image, (value) => Math.abs(value - background) <= 2 * SPECK);
  const isPlain = [near, cutSides(near, margin)].every((part) =>
    shareOf(listSides(part).flatMap((line) => [...line])) >= PLAIN_EDGE);
  const object = mark(image, (value) => Math.abs(value - background) > PLAIN);
  return isPlain && shareOf(object.planes[0]) > SMALLEST;
}

const mark = ({ width, height, planes: [plane] }, test) =>
  ({ width, height, planes: [Uint8Array.from(plane, (value) => (test(value) ? 1 : 0))] });

const shareOf = (marks) => marks.reduce((sum, one) => sum + one, 0) / marks.length;

// The rows and columns of a mask of which more than a share is true; null where none is.
function findBox({ width, height, planes: [plane] }, share) {
  const rows = new Uint32Array(height);
  const columns = new Uint32Array(width);
  for (let y = 0, k = 0; y < height; y++) {
    for (let x = 0; x < width; x++, k++) {
      rows[y] += plane[k];
      columns[x] += plane[k];
    }
  }
  const range = (counts, length) => {
    const found = [...counts.keys()].filter((k) => counts[k] / length > share);
    return [found.at(0), found.at(-1)];
  };
  const [[top, bottom], [left, right]] = [range(rows, width), range(columns, height)];
  return top === undefined || left === undefined ? null : { left, right, top, bottom };
}

const boxOf = ({ width, height }) => ({ left: 0, right: width - 1, top: 0, bottom: height - 1 });

const shrink = ({ left, right, top, bottom }, by) =>
  ({ left: left + by, right: right - by, top: top + by, bottom: bottom - by });

const isInBox = ({ left, right, top, bottom }, x, y) =>
  x >= left && x <= right && y >= top && y <= bottom;

// The pixels without so many at each side; none where there are not that many.
const cutSides = (image, by) => crop(image, shrink(boxOf(image), by));

// The four lines at the edge.
function listSides({ width, height, planes: [plane] }) {
  const column = (x) => Uint8Array.from({ length: height }, (_, y) => plane[y * width + x]);
  const [first, last] = [plane.subarray(0, width), plane.subarray((height - 1) * width)];
  return [first, last, column(0), column(width - 1)];
}
