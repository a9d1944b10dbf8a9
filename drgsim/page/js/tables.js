// Rows of CSV files (UTF-8, GB18030, UTF-16) and of XLSX workbooks, a part of the file at a time.
"use strict";

drgsim.FileError = class extends Error {
  constructor(code, detail) {
    super(code);
    this.code = code;
    this.detail = detail || "";
  }
};

drgsim.CHUNK = 4 << 20; // bytes of a file that are read at once

// Splits text into rows of cells as it comes; quotes may hold separators, quotes and line breaks.
drgsim.CsvRows = class {
  constructor(separator) {
    this.separator = separator;
    this.rest = "";
  }

  // Complete rows of the text so far; what is left waits for more.
  *feed(text, last) {
    const all = this.rest + text;
    const end = all.length;
    let at = 0;
    while (at < end) {
      const row = [];
      let start = at;
      let complete = false;
      for (;;) {
        let cell;
        if (all.charCodeAt(start) === 34) {
          let close = start + 1;
          for (;;) {
            close = all.indexOf('"', close);
            if (close < 0 || all.charCodeAt(close + 1) !== 34) break;
            close += 2;
          }
          if (close < 0) {
            if (!last) break;
            close = end;
          }
          if (close + 1 >= end && !last) break;
          cell = all.slice(start + 1, close).replace(/""/g, '"');
          start = close + 1;
          // what stands behind the quote up to the separator belongs to the cell
          let stop = start;
          while (stop < end && all[stop] !== this.separator && all[stop] !== "\n" && all[stop] !== "\r") stop++;
          if (stop === end && !last) break;
          cell += all.slice(start, stop);
          start = stop;
        } else {
          let stop = start;
          let sign;
          while (stop < end && (sign = all.charCodeAt(stop)) !== 10 && sign !== 13 && all[stop] !== this.separator) stop++;
          if (stop === end && !last) break;
          cell = all.slice(start, stop);
          start = stop;
        }
        row.push(cell);
        const sign = all[start];
        if (start >= end || sign === "\n" || sign === "\r") {
          if (sign === "\r" && start + 1 >= end && !last) break;
          start += sign === "\r" && all[start + 1] === "\n" ? 2 : 1;
          complete = true;
          break;
        }
        start++;
      }
      if (!complete) break;
      yield row;
      at = Math.min(start, end);
    }
    this.rest = all.slice(at);
    if (this.rest.length > 64 << 20) throw new drgsim.FileError("file-quotes");
  }
};

// The sign that most of the first lines have equally often; of several the one that they have most often.
drgsim.separatorOf = function (lines) {
  let best = [0, 0, ","];
  for (const sign of [",", "\t", ";", "|", "，"]) {
    const counts = new Map();
    for (const line of lines) {
      const count = line.replace(/"[^"]*"/g, "").split(sign).length - 1;
      if (count) counts.set(count, (counts.get(count) || 0) + 1);
    }
    for (const [count, often] of counts) if (often > best[0] || (often === best[0] && count > best[1])) best = [often, count, sign];
  }
  return best[2];
};

drgsim.encodingOf = function (bytes) {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return "utf-8";
  } catch (error) {
    return "gb18030";
  }
};

// Rows of a file, in parts: calls take(rows, share of the file that is read), which may return a promise. Of a workbook the
// sheet is read whose first rows score best.
drgsim.readTable = async function (file, take, score) {
  const head = new Uint8Array(await drgsim.bytesOf(file.slice(0, 1 << 20)));
  if (head[0] === 0x50 && head[1] === 0x4b) return drgsim.readWorkbook(file, take, score);
  if (head[0] === 0xd0 && head[1] === 0xcf) throw new drgsim.FileError("file-old-excel");
  if (head.slice(0, 4).join() === "80,65,82,49") throw new drgsim.FileError("file-parquet");
  if (/^\s*<(?:!doctype|html|\?xml|table|meta|head|body)/i.test(new TextDecoder().decode(head.slice(0, 4096)))) throw new drgsim.FileError("file-html");
  let encoding = drgsim.encodingOf(head);
  if (encoding === "utf-8" && !(await drgsim.isUtf8(file))) encoding = "gb18030";
  const decoder = new TextDecoder(encoding);
  let rows = null;
  for (let at = 0; at < file.size || at === 0; at += drgsim.CHUNK) {
    const bytes = await drgsim.bytesOf(file.slice(at, at + drgsim.CHUNK));
    const last = at + drgsim.CHUNK >= file.size;
    const text = decoder.decode(bytes, { stream: !last });
    if (rows === null) {
      rows = new drgsim.CsvRows(drgsim.separatorOf(text.slice(0, 1 << 16).split(/\r\n|\n|\r/).slice(0, 30)));
    }
    await take([...rows.feed(text, last)], Math.min(1, (at + drgsim.CHUNK) / Math.max(1, file.size)));
    if (!file.size) break;
  }
  return { encoding };
};

drgsim.bytesOf = function (blob) {
  if (blob.arrayBuffer) return blob.arrayBuffer();
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsArrayBuffer(blob);
  });
};

drgsim.isUtf8 = async function (file) {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  try {
    for (let at = 0; at < file.size; at += drgsim.CHUNK)
      decoder.decode(await drgsim.bytesOf(file.slice(at, at + drgsim.CHUNK)), { stream: at + drgsim.CHUNK < file.size });
    return true;
  } catch (error) {
    return false;
  }
};

// -- workbooks -------------------------------------------------------------------------------------------------------------
drgsim.MOST_UNPACKED = 512 << 20; // bytes of one part of a workbook

// Names and places of the parts of a zip file.
drgsim.zipParts = function (bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = bytes.length - 22;
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0) throw new drgsim.FileError("file-damaged");
  const parts = new Map();
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== 0x02014b50) throw new drgsim.FileError("file-damaged");
    const nameLength = view.getUint16(at + 28, true);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    parts.set(name, { method: view.getUint16(at + 10, true), packed: view.getUint32(at + 20, true), size: view.getUint32(at + 24, true), at: view.getUint32(at + 42, true) });
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return parts;
};

drgsim.zipText = async function (bytes, parts, name) {
  const part = parts.get(name);
  if (!part) return null;
  if (part.size > drgsim.MOST_UNPACKED) throw new drgsim.FileError("file-too-large");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = part.at + 30 + view.getUint16(part.at + 26, true) + view.getUint16(part.at + 28, true);
  const packed = bytes.subarray(start, start + part.packed);
  if (part.method === 0) return new TextDecoder().decode(packed);
  if (typeof DecompressionStream === "undefined") throw new drgsim.FileError("file-xlsx-browser");
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  const texts = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > drgsim.MOST_UNPACKED) throw new drgsim.FileError("file-too-large");
    texts.push(decoder.decode(value, { stream: true }));
  }
  return texts.join("");
};

drgsim.plainXml = function (text) {
  return text.replace(/&(?:#x([0-9a-fA-F]+)|#(\d+)|(\w+));/g, (whole, hex, number, name) => {
    if (hex || number) return String.fromCodePoint(hex ? parseInt(hex, 16) : Number(number));
    return { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" }[name] || whole;
  });
};

// Texts of the runs within a piece of XML; readings beside Chinese signs (rPh) are left out.
drgsim.runsOf = function (xml) {
  const plain = xml.replace(/<rPh\b[\s\S]*?<\/rPh>/g, "");
  return [...plain.matchAll(/<t\b[^>]*?(?:\/>|>([\s\S]*?)<\/t>)/g)].map((match) => drgsim.plainXml(match[1] || "")).join("");
};

drgsim.columnOf = function (reference) {
  let column = 0;
  for (const sign of reference.replace(/\d+$/, "")) column = column * 26 + sign.charCodeAt(0) - 64;
  return column - 1;
};

drgsim.ROWS = /<row\b[^>]*?(?:\/>|>([\s\S]*?)<\/row>)/g;
drgsim.TRIED_ROWS = 20; // of each sheet

// The sheet with the best header is read, of equal ones the larger.
drgsim.readWorkbook = async function (file, take, score) {
  const bytes = new Uint8Array(await drgsim.bytesOf(file));
  const parts = drgsim.zipParts(bytes);
  const sheets = [...parts.keys()].filter((name) => /^xl\/worksheets\/[^/]+\.xml$/.test(name));
  if (!sheets.length) throw new drgsim.FileError(parts.has("content.xml") ? "file-ods" : "file-unknown");
  const sharedXml = (await drgsim.zipText(bytes, parts, "xl/sharedStrings.xml")) || "";
  const shared = [...sharedXml.matchAll(/<si\b[^>]*?(?:\/>|>([\s\S]*?)<\/si>)/g)].map((match) => drgsim.runsOf(match[1] || ""));
  let best = [-1, -1, sheets[0], ""];
  for (const sheet of sheets) {
    const text = await drgsim.zipText(bytes, parts, sheet);
    const first = [];
    const tried = new RegExp(drgsim.ROWS);
    for (let row; first.length < drgsim.TRIED_ROWS && (row = tried.exec(text)); ) first.push(drgsim.cellsOf(row[1] || "", shared));
    const points = score ? Math.max(-1, ...first.map(score)) : 0;
    if (points > best[0] || (points === best[0] && text.length > best[1])) best = [points, text.length, sheet, text];
  }
  const xml = best[3];
  const pattern = new RegExp(drgsim.ROWS);
  let rows = [];
  let match;
  while ((match = pattern.exec(xml))) {
    rows.push(drgsim.cellsOf(match[1] || "", shared));
    if (rows.length === 5000) {
      await take(rows, match.index / xml.length);
      rows = [];
    }
  }
  await take(rows, 1);
  return { encoding: "xlsx", sheets: sheets.length, sheet: best[2] };
};

drgsim.cellsOf = function (xml, shared) {
  const row = [];
  const pattern = /<c\b([^>]*?)(?:\/>|>([\s\S]*?)<\/c>)/g;
  let match;
  while ((match = pattern.exec(xml))) {
    const reference = /\br="([A-Z]+)\d+"/.exec(match[1]);
    const place = reference ? drgsim.columnOf(reference[1]) : row.length;
    if (place >= 16384) throw new drgsim.FileError("file-damaged");
    while (row.length < place) row.push("");
    const type = (/\bt="(\w+)"/.exec(match[1]) || [])[1];
    const value = (/<v\b[^>]*>([\s\S]*?)<\/v>/.exec(match[2] || "") || [])[1];
    if (type === "s") row.push(shared[Number(value)] || "");
    else if (type === "inlineStr") row.push(drgsim.runsOf(match[2] || ""));
    else row.push(value === undefined ? (/<f\b/.test(match[2] || "") ? "#FORMULA!" : "") : drgsim.plainNumber(drgsim.plainXml(value)));
  }
  return row;
};

// Numbers as a reader writes them: 12.0 is 12, 39.949999999999996 stays as it is.
drgsim.plainNumber = function (text) {
  return /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text) ? String(Number(text)) : text;
};
