// A whole file through the engine: header, records, answers, summary and the rows of the result; runs in a worker.
"use strict";

drgsim.RESULT_COLUMNS = {
  drg: ["discharge_id", "mdc", "adrg", "drg", "drg_name", "severity", "status", "reason", "warnings"],
  dip: ["discharge_id", "dip", "dip_name", "kind", "score", "aux", "aux_level", "severity", "cci", "status", "reason", "warnings"],
};
drgsim.PRICE_COLUMNS = ["amount", "standard", "cost_ratio", "case_class"];
drgsim.HEADER_ROWS = 20; // rows before the header that a file may have

drgsim.Batch = class {
  // parts: {engine, reader, prices, layouts}; chosen: canonical name -> column; terms: level, insurance, k, unitValue of the page
  constructor(parts, chosen, terms) {
    Object.assign(this, parts);
    this.chosen = chosen;
    this.terms = terms;
    this.names = null;
    this.waiting = [];
    this.seen = new Set();
    this.out = [];
    this.summary = { records: 0, status: {}, groups: {}, reasons: {}, warnings: {}, cost: 0, amount: 0, paid: 0, unpaid: {}, leftOut: 0 };
  }

  take(rows) {
    if (this.names === null) {
      this.waiting.push(...rows);
      if (this.waiting.length < drgsim.HEADER_ROWS + 1 && !this.last) return;
      this._open();
      rows = this.waiting;
      this.waiting = [];
    }
    const lines = [];
    for (const row of rows) {
      if (row.every((cell) => cell === "" || cell === null)) continue;
      const line = this._line(row);
      if (line) lines.push(line);
    }
    if (lines.length) this.out.push(new Blob([lines.join("")]));
  }

  finish() {
    if (this.names === null) {
      this.last = true;
      this.take([]);
    }
    return this.summary;
  }

  // The first of the first rows that reads as a header; what stands before it is a title.
  _open() {
    const top = this.waiting.slice(0, drgsim.HEADER_ROWS);
    let place = top.findIndex((row) => this.layouts.headerLike(row));
    if (place < 0) place = top.findIndex((row) => row.filter((cell) => cell).length > 1);
    if (place < 0) throw new drgsim.FileError("file-empty");
    this.names = this.waiting[place].map((cell) => String(cell).trim());
    this.waiting = this.waiting.slice(place + 1);
    this.reading = this.layouts.recognise(this.names, this.chosen);
    if (this.reading.missing.length) {
      const error = new drgsim.FileError("file-columns", this.reading.missing.join(", "));
      Object.assign(error, { names: this.names, missing: this.reading.missing, recipes: this.reading.recipes });
      throw error;
    }
    this.maker = new drgsim.RecordMaker(this.reading, this.names, this.reader);
    const unit = this.engine.scheme.unit;
    this.columns = [...drgsim.RESULT_COLUMNS[unit], ...(this.prices ? drgsim.PRICE_COLUMNS : [])];
    this.out.push("\ufeff" + this.columns.join(",") + "\r\n");
  }

  _line(row) {
    const record = this.maker.make(row);
    if (this._isSide(record, row)) {
      this.summary.leftOut++;
      return "";
    }
    const read = this.reader.read(record);
    const broken = row.length !== this.names.length && row.slice(this.names.length).some((cell) => cell !== "");
    const short = row.length < this.names.length && this.csv;
    if (broken || short) read.found = new Set(["line_broken"]);
    const id = String(record.discharge_id === undefined ? "" : record.discharge_id).trim();
    if (id === "") read.found.add("id_missing");
    else if (this.seen.has(id)) read.found.add("id_duplicate");
    this.seen.add(id);
    const answer = this.engine.group(read, this.reader);
    const warnings = this.reader.listed(answer.found || read.found, "warning");
    const values = this._values(id, answer, warnings);
    if (this.prices) values.push(...this._price(answer, read, record));
    this._count(answer, warnings);
    return values.map(drgsim.csvCell).join(",") + "\r\n";
  }

  // Totals, signatures and repeated headers are no discharges: they have no diagnosis and no id that begins as one.
  _isSide(record, row) {
    const id = String(record.discharge_id === undefined || record.discharge_id === null ? "" : record.discharge_id).trim();
    if (row[0] === this.names[0] && row.every((cell, place) => String(cell).trim() === (this.names[place] || ""))) return true;
    if (/^[0-9A-Za-z]/.test(id) || this.reader.spelling.split(String(record.diagnoses || "")).length) return false;
    const first = id || String(row.find((cell) => cell) || "");
    return /合\s*计|总\s*计|小\s*计|共\s*计|汇\s*总|平\s*均|制\s*表|填\s*表|填\s*报|审\s*核|备\s*注|说\s*明|打\s*印|导\s*出|签\s*[字名章]/.test(first);
  }

  _values(id, answer, warnings) {
    const common = [answer.severity, answer.status, answer.reason, warnings.join("|")];
    if (this.engine.scheme.unit === "drg") return [id, answer.mdc, answer.adrg, answer.group, answer.name, ...common];
    const score = Number.isNaN(answer.score) ? "" : answer.score;
    return [id, answer.group, answer.name, answer.kind, score, answer.aux, answer.level, answer.severity, answer.cci, answer.status, answer.reason, warnings.join("|")];
  }

  _price(answer, read, record) {
    const fen = this.reader.cells.fen(String(record.total_cost === undefined ? "" : record.total_cost));
    const word = this.layouts.data.insurance[this.layouts.key(String(record.insurance || ""))];
    const days = Number.isNaN(read.numbers[4]) ? this.reader.stayOf((name) => String(record[name] || "")) : read.numbers[4];
    const price = answer.status === "invalid" ? { refused: "invalid" } : this.prices.price({
      ...this.terms,
      group: answer.group,
      cost: fen,
      days,
      age: read.numbers[0],
      insurance: word || this.terms.insurance,
    });
    if (price.amount === undefined) {
      const why = price.refused || price.needs;
      this.summary.unpaid[why] = (this.summary.unpaid[why] || 0) + 1;
      return ["", price.standard === undefined ? "" : drgsim.yuan(price.standard), "", why];
    }
    this.summary.paid++;
    this.summary.amount += Number(price.amount);
    if (fen) this.summary.cost += fen;
    const ratio = price.ratio === undefined ? "" : Math.round(price.ratio * 1e6) / 1e6;
    return [drgsim.yuan(price.amount), price.standard === undefined ? "" : drgsim.yuan(price.standard), ratio, price.class];
  }

  _count(answer, warnings) {
    const { summary } = this;
    const add = (table, key) => (table[key] = (table[key] || 0) + 1);
    summary.records++;
    add(summary.status, answer.status);
    if (answer.reason) add(summary.reasons, answer.reason);
    warnings.forEach((code) => add(summary.warnings, code));
    if (answer.row >= 0) add(summary.groups, answer.group + "\t" + answer.name);
  }
};

// Yuan with two decimals of whole fen.
drgsim.yuan = function (fen) {
  const whole = BigInt(fen);
  const size = whole < 0n ? -whole : whole;
  return (whole < 0n ? "-" : "") + size / 100n + "." + String(size % 100n).padStart(2, "0");
};

// A cell of a CSV file that no spreadsheet runs as a formula.
drgsim.csvCell = function (value) {
  let text = String(value === undefined || value === null ? "" : value);
  if (/^'*[=+\-@\t\r\n＝＋－＠]/.test(text) && !/^(-?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?|[-－]+)$/.test(text)) text = "'" + text;
  return /[",\r\n]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
};
