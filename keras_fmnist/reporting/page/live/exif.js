// How a camera was held, from the EXIF data of a JPEG, PNG or WebP file. The tag is set to upright in
// the bytes, because browsers differ in which files they turn by themselves; photo.js then turns.

const ORIENTATION = 0x0112;

// Where the value of the tag stands in the bytes, and how to read it; null where there is none.
function orientationIn(view, start, end) {
  const order = view.getUint16(start);
  if (order !== 0x4949 && order !== 0x4d4d) return null;
  const little = order === 0x4949;
  const table = start + view.getUint32(start + 4, little);
  if (table + 2 > end) return null;
  for (let k = 0; k < view.getUint16(table, little); k++) {
    const entry = table + 2 + 12 * k;
    if (entry + 12 > end) return null;
    if (view.getUint16(entry, little) === ORIENTATION) return { at: entry + 8, little };
  }
  return null;
}

const startsWith = (view, at, letters) =>
  at + letters.length <= view.byteLength
  && [...letters].every((letter, k) => view.getUint8(at + k) === letter.charCodeAt(0));

// Where EXIF data begin and end, as `[start, end]`.
function exifOfJpeg(view) {
  for (let at = 2; at + 10 < view.byteLength && view.getUint8(at) === 0xff;) {
    const length = view.getUint16(at + 2);
    if (view.getUint8(at + 1) === 0xe1 && startsWith(view, at + 4, "Exif\0\0")) {
      return [at + 10, at + 2 + length];
    }
    at += 2 + length;
  }
  return null;
}

function exifOfPng(view) {
  for (let at = 8; at + 8 < view.byteLength;) {
    const length = view.getUint32(at);
    if (startsWith(view, at + 4, "eXIf")) return [at + 8, at + 8 + length];
    at += 12 + length;
  }
  return null;
}

function exifOfWebp(view) {
  for (let at = 12; at + 8 < view.byteLength;) {
    const length = view.getUint32(at + 4, true);
    if (startsWith(view, at, "EXIF")) {
      const skipped = startsWith(view, at + 8, "Exif\0\0") ? 6 : 0;
      return [at + 8 + skipped, at + 8 + length];
    }
    at += 8 + length + (length & 1);
  }
  return null;
}

// The file's bytes without an orientation, and the one that it had; 1 is upright.
function takeOrientation(buffer) {
  const bytes = new Uint8Array(buffer.slice(0));
  const view = new DataView(bytes.buffer);
  let place = null;
  const png = startsWith(view, 1, "PNG");
  if (startsWith(view, 0, "\xff\xd8")) place = exifOfJpeg(view);
  else if (png) place = exifOfPng(view);
  else if (startsWith(view, 8, "WEBP")) place = exifOfWebp(view);
  const [start, end] = place ?? [0, 0];
  const found = end <= view.byteLength && end - start > 10 ? orientationIn(view, start, end) : null;
  if (!found) return { bytes, orientation: 1 };
  const orientation = view.getUint16(found.at, found.little);
  view.setUint16(found.at, 1, found.little);
  // A chunk of PNG has a checksum, which would be wrong now: its name makes it one to skip.
  if (png) bytes.set([..."exIf"].map((letter) => letter.charCodeAt(0)), start - 4);
  return { bytes, orientation };
}
