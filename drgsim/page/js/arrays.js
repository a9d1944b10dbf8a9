// Arrays as drgsim/page/packed_arrays.py writes them: base64 of runs of bytes, the bytes of each place of a number together.
"use strict";
var drgsim = typeof drgsim === "undefined" ? {} : drgsim;

drgsim.unpacked = function (entry) {
  const packed = atob(entry.data);
  const width = Number(entry.type.slice(1)) / 8;
  const size = entry.shape.reduce((a, b) => a * b, 1);
  const planes = new Uint8Array(size * width);
  let at = 0;
  let to = 0;
  while (at < packed.length) {
    const head = packed.charCodeAt(at++);
    if (head < 128) {
      for (let left = head + 1; left > 0; left--) planes[to++] = packed.charCodeAt(at++);
    } else {
      planes.fill(packed.charCodeAt(at++), to, to + 257 - head);
      to += 257 - head;
    }
  }
  const bytes = new Uint8Array(size * width);
  for (let plane = 0; plane < width; plane++)
    for (let place = 0; place < size; place++) bytes[place * width + plane] = planes[plane * size + place];
  const kinds = { i8: Int8Array, i16: Int16Array, i32: Int32Array, f64: Float64Array };
  return new kinds[entry.type](bytes.buffer);
};

// All arrays of a scheme, and how many columns those of two dimensions have (arrays.width.NAME).
drgsim.unpackedArrays = function (entries) {
  const arrays = { width: {} };
  for (const name of Object.keys(entries)) {
    arrays[name] = drgsim.unpacked(entries[name]);
    arrays.width[name] = entries[name].shape.length > 1 ? entries[name].shape[1] : 1;
  }
  return arrays;
};
