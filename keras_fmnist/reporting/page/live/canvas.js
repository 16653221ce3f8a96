// Pictures on canvases.

const byId = (id) => document.getElementById(id);
const named = (name) => document.querySelector(`[name="${name}"]`);

// Calls a function at most once a frame, however often it is asked for.
function oncePerFrame(task) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      task();
    });
  };
}

// Paints numbers in [0, 1], 0 black, in rows of `width`.
function paint(canvas, values, width = SIDE) {
  const height = values.length / width;
  const image = new ImageData(width, height);
  for (let k = 0; k < values.length; k++) {
    const grey = Math.round(255 * Math.min(Math.max(values[k], 0), 1));
    image.data.set([grey, grey, grey, 255], 4 * k);
  }
  Object.assign(canvas, { width, height });
  canvas.getContext("2d").putImageData(image, 0, 0);
}

// Paints a picture of one or three planes; where it has a box, that is drawn around.
function paintPlanes(canvas, { width, height, planes, box }) {
  const image = new ImageData(width, height);
  for (let k = 0; k < width * height; k++) {
    for (let c = 0; c < 3; c++) image.data[4 * k + c] = planes[c % planes.length][k];
    image.data[4 * k + 3] = 255;
  }
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  context.putImageData(image, 0, 0);
  if (!box) return;
  context.strokeStyle = "#ffa90e";
  context.lineWidth = Math.max(1, Math.max(width, height) / 80);
  context.strokeRect(box.left, box.top, box.right - box.left + 1, box.bottom - box.top + 1);
}

// What a layer gives, as brightness: the greatest of its values white, and 0 not quite black, so that
// a place where there is nothing shows as a place.
function brightness(values) {
  const most = values.reduce((one, other) => Math.max(one, other), 0) || 1;
  return values.map((value) => 0.12 + 0.88 * value / most);
}

// Maps side by side in a grid.
function paintMaps(canvas, values, side, count, columns) {
  const bright = brightness(values);
  const rows = Math.ceil(count / columns);
  const cell = side + 1;
  const width = columns * cell - 1;
  const grid = new Float32Array(width * (rows * cell - 1));
  for (let map = 0; map < count; map++) {
    const [top, left] = [Math.floor(map / columns) * cell, (map % columns) * cell];
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        grid[(top + y) * width + left + x] = bright[(y * side + x) * count + map];
      }
    }
  }
  paint(canvas, grid, width);
}

// The numbers of a code, row by row, in a square or nearly one.
function paintCode(canvas, values) {
  const width = Math.ceil(Math.sqrt(values.length));
  const square = new Float32Array(width * Math.ceil(values.length / width));
  square.set(brightness(values));
  paint(canvas, square, width);
}
