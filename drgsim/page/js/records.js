// A record of canonical texts to integers for the engines, with what is doubtful; the twin of drgsim/records/batch_encoding.py.
"use strict";

drgsim.NUMBER_COLUMNS = ["age", "sex", "age_days", "birth_weight_g", "los_days", "icu_hours"];
drgsim.CANONICAL = [
  "discharge_id", "hospital_id", "sex", "age", "age_days", "birth_date", "admitted", "discharged", "birth_weight_g", "los_days",
  "icu_hours", "discharge_way", "admission_department", "insurance", "diagnoses", "procedures", "total_cost",
]; // prettier-ignore

drgsim.RecordReader = class {
  // scheme: what page_scheme or page_catalogue wrote; vocabulary: findings in their order with their kinds
  constructor(codes, scheme, findings) {
    this.spelling = new drgsim.Spelling(codes);
    this.cells = new drgsim.Cells(this.spelling);
    this.diagnoses = new drgsim.CodeList(codes.diagnoses, scheme.local.diagnoses, this.spelling);
    this.procedures = new drgsim.CodeList(codes.procedures, scheme.local.procedures, this.spelling);
    this.asked = new Set(scheme.variables);
    this.words = ["LYFS", "RYKS"].map((name) =>
      (scheme.words[name] || []).map((words) => new Set(words.map((word) => this.plainWord(word)))),
    );
    this.kinds = new Map(findings.map((finding) => [finding.code, finding.kind]));
    this.order = new Map(findings.map((finding, place) => [finding.code, place]));
    this._kept = new Map(); // cells of codes come again and again
  }

  plainWord(text) {
    const folded = this.spelling.fold(text);
    return folded.includes(".") && /^[+-]?(?:\d+\.?\d*|\.\d+)$/.test(folded) ? String(Number(folded)) : folded;
  }

  _codes(text, side) {
    const key = side[0] + text;
    let read = this._kept.get(key);
    if (!read) {
      read = this[side].read(text, side === "procedures");
      if (this._kept.size > 200000) this._kept.clear();
      this._kept.set(key, read);
    }
    return read;
  }

  // record: canonical name -> text (absent or null: missing)
  read(record) {
    const found = new Set();
    const text = (name) => (record[name] === undefined || record[name] === null ? "" : String(record[name]));
    const lists = {};
    for (const side of ["diagnoses", "procedures"]) {
      const read = this._codes(text(side), side);
      read.noted.forEach((code) => found.add(code));
      lists[side] = read.ids;
    }
    this._noteCodes(lists.diagnoses, this.diagnoses.grey, drgsim.DIAGNOSIS_NOTES, true, found);
    this._noteCodes(lists.procedures, this.procedures.grey, drgsim.PROCEDURE_NOTES, false, found);
    const values = this._values(text, found);
    const numbers = drgsim.NUMBER_COLUMNS.map((name) => values[name]);
    const texts = [0, 0, 0, 0];
    ["LYFS", "RYKS"].forEach((variable, place) => {
      if (!this.asked.has(variable)) return;
      const cell = text(place ? "admission_department" : "discharge_way");
      const word = this.plainWord(cell);
      this.words[place].forEach((known, bit) => {
        if (known.has(word)) texts[2 * place + (bit < 31 ? 0 : 1)] |= 1 << (bit % 31);
      });
      if (this.spelling.blankWords.has(word)) found.add(place ? "department_missing" : "discharge_way_missing");
    });
    if (this.asked.has("ZYTS") && Number.isNaN(values.los_days)) found.add("los_missing");
    if (this.asked.has("ICUXS") && Number.isNaN(values.icu_hours)) found.add("icu_hours_missing");
    return { diagnoses: lists.diagnoses, procedures: lists.procedures, numbers, texts, found, cost: this.cells.yuan(text("total_cost")) };
  }

  // Findings of a kind in the order of the registry.
  listed(found, kind) {
    return [...found].filter((code) => this.kinds.get(code) === kind).sort((a, b) => this.order.get(a) - this.order.get(b));
  }

  _noteCodes(ids, grey, names, needed, found) {
    if (!ids.length && needed) found.add(names[0]);
    ids.forEach((id, place) => {
      const other = place > 0 ? 2 : 0;
      if (id === drgsim.EMPTY) found.add(names[0]);
      else if (id === drgsim.UNKNOWN) found.add(names[1 + other]);
      else if (grey.has(id)) found.add(names[2 + other]);
    });
  }

  _values(text, found) {
    const cells = this.cells;
    const values = {};
    const read = (value, code) => {
      if (value === null) found.add(code);
      return value === null ? NaN : value;
    };
    this._ages(text, values, found);
    const grams = cells.grams(text("birth_weight_g"));
    let weight = read(grams.value, "weight_unreadable");
    if (grams.unit && !Number.isNaN(weight)) found.add("weight_from_kilograms");
    if (weight > 0 && weight < 200) {
      found.add("weight_too_low");
      weight = NaN;
    }
    values.birth_weight_g = weight;
    const stay = cells.days(text("los_days"));
    values.los_days = read(stay, "los_unreadable");
    if (this.asked.has("ZYTS") && Number.isNaN(values.los_days) && stay !== null) values.los_days = this.stayOf(text);
    values.icu_hours = read(cells.number(text("icu_hours")), "icu_hours_unreadable");
    const limits = [
      ["age", "age_impossible", 150], ["age_days", "age_days_impossible", 55000], ["birth_weight_g", "weight_impossible", 20000],
      ["los_days", "los_impossible", 36500], ["icu_hours", "icu_hours_impossible", 876000],
    ]; // prettier-ignore
    for (const [name, code, largest] of limits) if (values[name] < 0 || values[name] > largest) found.add(code);
    const word = this.spelling.fold(text("sex"));
    const named = { 男: 1, 男性: 1, M: 1, MALE: 1, 女: 2, 女性: 2, F: 2, FEMALE: 2 }[word];
    const sex = named || cells.number(word);
    if (sex === null || (!Number.isNaN(sex) && sex !== 1 && sex !== 2)) found.add("sex_unreadable");
    else if (Number.isNaN(sex)) found.add("sex_missing");
    values.sex = sex === 1 || sex === 2 ? sex : NaN;
    this._noteAges(values, found);
    return values;
  }

  stayOf(text) {
    const between = cellsDay(this.cells, text("discharged")) - cellsDay(this.cells, text("admitted"));
    return between >= 0 ? Math.max(between, 1) : NaN;
  }

  _ages(text, values, found) {
    const stated = this.cells.age(text("age"), "Y");
    const inDays = this.cells.age(text("age_days"), "D");
    const missing = { years: NaN, days: NaN, estimated: false };
    const a = stated || missing;
    const d = inDays || missing;
    let years = a.years;
    let days = d.days;
    let estimated = d.estimated;
    if (Number.isNaN(days) && !Number.isNaN(a.days)) {
      estimated = estimated || a.estimated;
      days = a.days;
    }
    if (Number.isNaN(years)) years = d.years;
    if (Number.isNaN(years) && stated !== null && days >= 0 && days < 366) years = 0;
    const born = cellsDay(this.cells, text("birth_date"));
    const lived = cellsDay(this.cells, text("admitted")) - born;
    if (lived >= 0) {
      const completed = drgsim.completedYears(born, lived);
      const otherDay = Math.abs(Math.floor(days) - lived) > 1 && !estimated;
      if ((!Number.isNaN(years) && Math.floor(years) !== completed) || otherDay) found.add("age_dates_conflict");
      if (Number.isNaN(years)) years = completed;
      if ((Number.isNaN(days) || estimated) && years === 0 && completed === 0) {
        days = lived;
        estimated = false;
      }
    }
    if (stated === null) found.add("age_unreadable");
    if (inDays === null) found.add("age_days_unreadable");
    if (estimated) found.add("age_days_estimated");
    values.age = years;
    values.age_days = days;
  }

  _noteAges(values, found) {
    for (const name of ["age", "age_days"]) {
      if (Math.floor(values[name]) < values[name]) found.add("age_fraction");
      values[name] = Math.floor(values[name]);
    }
    const { age, age_days: days, birth_weight_g: weight } = values;
    if (Number.isNaN(age) && !found.has("age_unreadable")) found.add("age_missing");
    if (age === 0 && Number.isNaN(days)) found.add("age_days_missing");
    if (days > (age + 1) * 366 + 2 || days < age * 365 - 2) found.add("age_conflict");
    if (days <= 28 && !(age > 0) && (Number.isNaN(weight) || weight === 0)) found.add("newborn_weight_missing");
  }
};

function cellsDay(cells, text) {
  const day = text ? cells.day(text) : NaN;
  return day === null ? NaN : day;
}

drgsim.DIAGNOSIS_NOTES = [
  "principal_missing", "principal_unknown_code", "principal_grey_code", "other_diagnosis_unknown", "other_diagnosis_grey",
]; // prettier-ignore
drgsim.PROCEDURE_NOTES = [
  "principal_procedure_missing", "procedure_unknown", "principal_procedure_grey", "procedure_unknown", "other_procedure_grey",
]; // prettier-ignore
