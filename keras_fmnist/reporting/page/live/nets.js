// The nets, run by TensorFlow.js: each is a list of operations, see page/nets.py.

const SIDE = 28;
const tensors = new Map();

function tensorOf(name) {
  if (!tensors.has(name)) {
    const { shape, values } = arrayOf(name);
    tensors.set(name, tf.keep(tf.tensor(values, shape)));
  }
  return tensors.get(name);
}

// Puts `spread` − 1 zeros between the positions of a map.
function spreadOut(x, spread) {
  if (spread === 1) return x;
  const [n, height, width, maps] = x.shape;
  const gap = [0, spread - 1];
  const apart = tf.reshape(x, [n, height, 1, width, 1, maps]);
  const padded = tf.pad(apart, [[0, 0], [0, 0], gap, [0, 0], gap, [0, 0]]);
  const whole = tf.reshape(padded, [n, height * spread, width * spread, maps]);
  const reach = (size) => (size - 1) * spread + 1;
  return tf.slice(whole, [0, 0, 0, 0], [n, reach(height), reach(width), maps]);
}

function deconvolve(x, step) {
  const kernel = tensorOf(step.kernel);
  const [side, , maps] = kernel.shape;
  const size = (x.shape[1] - 1) * step.stride + side + step.output_padding;
  const whole = tf.conv2dTranspose(x, kernel, [x.shape[0], size, size, maps], step.stride, "valid");
  const kept = size - 2 * step.crop;
  const cut = tf.slice(whole, [0, step.crop, step.crop, 0], [x.shape[0], kept, kept, maps]);
  return tf.add(spreadOut(cut, step.spread), tensorOf(step.bias));
}

function drop(x, step, dropout) {
  if (!dropout || !step.rate) return x;
  const shape = step.whole_maps ? [x.shape[0], 1, 1, x.shape[3]] : x.shape;
  const seed = `${dropout.seed} ${dropout.layer++}`; // of each layer another mask
  return tf.dropout(x, step.rate, shape, seed);
}

// Each takes `(batch, rows, columns, maps)` or `(batch, numbers)`, its step and the dropout.
const OPERATIONS = {
  conv: (x, step) => tf.add(tf.conv2d(x, tensorOf(step.kernel), 1, "valid"), tensorOf(step.bias)),
  dense: (x, step) => tf.add(tf.matMul(x, tensorOf(step.kernel)), tensorOf(step.bias)),
  deconv: deconvolve,
  relu: (x) => tf.relu(x),
  max_pool: (x) => tf.maxPool(x, 2, 2, "valid"),
  average_pool: (x) => tf.avgPool(x, 2, 2, "valid"),
  dropout: drop,
  // The code is in channel, row, column order, as PyTorch flattens.
  flatten: (x) => tf.reshape(tf.transpose(x, [0, 3, 1, 2]), [x.shape[0], -1]),
  unflatten: (x, step) => tf.transpose(tf.reshape(x, [x.shape[0], ...step.shape]), [0, 2, 3, 1]),
  sigmoid: (x) => tf.sigmoid(x),
  tanh: (x) => tf.tanh(x),
  from_signed: (x) => tf.div(tf.add(x, 1), 2), // pixels in [-1, 1]
};

// Runs operations on a tensor. `dropout` is `{ seed }` in training mode, else null; `seen` is told
// every step with what comes out of it.
function run(steps, x, dropout = null, seen = () => {}) {
  const acting = dropout && { seed: dropout.seed, layer: 0 };
  for (const step of steps) {
    x = OPERATIONS[step.op](x, step, acting);
    seen(step, x);
  }
  return x;
}

// A picture, 784 numbers in [0, 1], as a net has learnt to see it.
function toInput(pixels, net) {
  const x = tf.tensor(pixels, [1, SIDE, SIDE, 1]);
  return net.pixel_min ? tf.add(tf.mul(x, 1 - net.pixel_min), net.pixel_min) : x;
}

// The ten logits of a picture, and their softmax.
function classify(net, pixels, dropout = null) {
  return tf.tidy(() => {
    const logits = run(net.steps, toInput(pixels, net), dropout);
    return { logits: logits.dataSync(), probabilities: tf.softmax(logits).dataSync() };
  });
}

// The code of a picture.
function encode(net, pixels, dropout = null, seen) {
  return tf.tidy(() => run(net.encoder, toInput(pixels, net), dropout, seen).dataSync());
}

// The picture of a code, 784 numbers in [0, 1].
function decode(net, code) {
  return tf.tidy(() => run(net.decoder, tf.tensor(code, [1, net.numbers])).dataSync());
}

// What as many principal components as `count` keep of a picture.
function projectOnComponents(pixels, count) {
  return tf.tidy(() => {
    const mean = tensorOf(content.pca.mean);
    const axes = tf.slice(tensorOf(content.pca.components), [0, 0], [count, -1]);
    const centred = tf.sub(tf.tensor(pixels, [1, pixels.length]), mean);
    return tf.add(tf.matMul(tf.matMul(centred, axes, false, true), axes), mean).dataSync();
  });
}

function meanSquare(one, other) {
  let sum = 0;
  for (let k = 0; k < one.length; k++) sum += (one[k] - other[k]) ** 2;
  return sum / one.length;
}
