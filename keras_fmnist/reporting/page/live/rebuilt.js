// What the autoencoders make of a picture, and what happens inside the first of them.

const MAPS_A_ROW = 8;
let round = 0;
let rebuilding = Promise.resolve();

// Runs one autoencoder after the other, and gives way to the reader between them: the largest takes
// longer than all the others. A later picture makes the rest of this round needless.
function rebuildAll(pixels, dropout) {
  const mine = ++round;
  rebuilding = (async () => {
    for (const k of content.autoencoders.keys()) {
      await new Promise((done) => { setTimeout(done); });
      if (mine !== round) return;
      rebuild(k, pixels, dropout);
    }
  })();
}

function rebuild(k, pixels, dropout) {
  const net = content.autoencoders[k];
  const layers = {};
  const code = encode(net, pixels, dropout, k === 0 ? (step, x) => noteLayer(layers, step, x) : undefined);
  showPicture(`rebuilt-${k}`, decode(net, code), pixels);
  if (net.pca) showPicture(`pca-${k}`, projectOnComponents(pixels, net.pca), pixels);
  if (k === 0) showLayers(layers);
  codeChanged(k, code);
}

function showPicture(id, values, pixels) {
  paint(byId(id), values);
  document.querySelector(`[data-error="${id}"]`).textContent = number(meanSquare(values, pixels), 4);
}

// The last thing that each of the three parts of an encoder gives: `first`, `second` and `code`.
function noteLayer(layers, step, x) {
  let part = "first";
  if (x.rank === 2) part = "code";
  else if (layers.second || (layers.first && step.op === "conv")) part = "second";
  layers[part] = { shape: x.shape, values: x.dataSync() };
}

function showLayers(layers) {
  for (const [name, { shape, values }] of Object.entries(layers)) {
    const canvas = byId(`layer-${name}`);
    if (name === "code") paintCode(canvas, values);
    else paintMaps(canvas, values, shape[1], shape[3], MAPS_A_ROW);
    const zeros = values.reduce((sum, value) => sum + (value === 0), 0);
    document.querySelector(`[data-dropped="${name}"]`).textContent =
      say("dropped", { count: zeros, all: values.length });
  }
}
