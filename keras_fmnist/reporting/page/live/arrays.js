// What the page holds: nets, images, maps, and their arrays, which are unpacked when first used.

const content = JSON.parse(document.getElementById("nets").textContent);
const words = JSON.parse(document.getElementById("words").textContent);
const unpacked = new Map();

function decodeBase64(text) {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let k = 0; k < bytes.length; k++) bytes[k] = letters.charCodeAt(k);
  return bytes;
}

// The 65 536 values of a 16-bit float (IEEE 754 binary16).
const HALVES = Float32Array.from({ length: 65536 }, (_, bits) => {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
});

const READERS = {
  uint8: (bytes) => bytes,
  int32: (bytes) => new Int32Array(bytes.buffer),
  float16: (bytes) => Float32Array.from(new Uint16Array(bytes.buffer), (bits) => HALVES[bits]),
};

// An array of the page by its name: `{ shape, values }`.
function arrayOf(name) {
  if (!unpacked.has(name)) {
    const { type, shape, data } = content.arrays[name];
    unpacked.set(name, { shape, values: READERS[type](decodeBase64(data)) });
    delete content.arrays[name].data; // it would stay in memory twice
  }
  return unpacked.get(name);
}

// A text in the language of the page, with its {values} filled in.
function say(key, values = {}) {
  return words[root.lang][key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

// A number as the language writes it.
const number = (value, digits) => value.toLocaleString(root.lang, {
  minimumFractionDigits: digits, maximumFractionDigits: digits,
});
const percent = (value, digits = 1) => `${number(100 * value, digits)}\u00a0%`;
