// Numbers, ages, dates, weights and money of cells; the twin of drgsim/records/cell_numbers.py, ages.py, birth_weights.py, cells.py.
// NaN stands for a blank, null for what cannot be read.
"use strict";

drgsim.Cells = class {
  constructor(spelling) {
    this.spelling = spelling;
  }

  number(text) {
    const plain = this.spelling.fold(text);
    if (this.spelling.blankWords.has(plain)) return NaN;
    if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:E[+-]?\d+)?$/.test(plain)) return Number(plain);
    if (/^[+-]?INF(?:INITY)?$/.test(plain)) return plain[0] === "-" ? -Infinity : Infinity;
    return /^[+-]?NAN$/.test(plain) ? NaN : null;
  }

  days(text) {
    const number = this.number(text);
    if (number !== null) return number;
    const match = /^(\d{1,3}(?:,\d{3})+(?:\.\d*)?|\d+(?:\.\d*)?|\.\d+)(?:天|日|D|DAYS?)$/.exec(this.spelling.fold(text));
    return match ? Number(match[1].replace(/,/g, "")) : null;
  }

  grams(text) {
    const number = this.number(text);
    if (number !== null) return { value: number, unit: false };
    const folded = this.spelling.fold(text);
    const match = /^(\d{1,3}(?:,\d{3})+(?:\.\d*)?|\d+(?:\.\d*)?|\.\d+)(克|G|公斤|千克|KG)$/.exec(folded);
    if (!match) return { value: null, unit: false };
    const kilograms = !"克G".includes(match[2]);
    const value = Number(match[1].replace(/,/g, "")) * (kilograms ? 1000 : 1);
    return { value: Math.round(value * 1e6) / 1e6, unit: kilograms };
  }

  // Fen of an amount in yuan: null for what is no amount, undefined for a blank.
  fen(text) {
    const folded = this.spelling.fold(text);
    if (this.spelling.blankWords.has(folded)) return undefined;
    const plain = /^([+-]?)(\d+\.?\d*|\.\d+)(?:E([+-]?\d+))?$/.exec(folded);
    const money =
      /^(\()?([-−+]?)(?:RMB|CNY|人民币|[¥￥])?([-−+]?)(\d{1,3}(?:,\d{3})+(?:\.\d*)?|\d+(?:\.\d*)?|\.\d+)(万)?(?:元|圆|块|RMB|CNY)?[整正]?(-?)(\))?$/;
    const match = plain ? null : money.exec(folded);
    if (!plain && !match) return null;
    if (plain) return drgsim.toFen((plain[1] === "-" ? "-" : "") + plain[2] + (plain[3] ? "e" + plain[3] : ""));
    if (Boolean(match[1]) !== Boolean(match[7])) return null;
    if ([match[1], match[2], match[3], match[6]].filter(Boolean).length > 1) return null;
    const minus = match[1] || "-−".includes(match[2] || "x") || "-−".includes(match[3] || "x") || match[6];
    const digits = match[4].replace(/,/g, "");
    return drgsim.toFen((minus ? "-" : "") + digits, match[5] ? 10000n : 1n);
  }

  // Yuan of an amount, NaN for a blank and for what is none.
  yuan(text) {
    const fen = this.fen(text);
    return fen === null || fen === undefined ? NaN : fen / 100;
  }

  // Days since 1970-01-01 of a date, a time or the serial day of a spreadsheet.
  day(text) {
    const serial = /^\s*([1-7]\d{4})(?:\.\d+)?\s*$/.exec(text);
    if (serial) return Number(serial[1]) - 25569;
    const match = /^\s*(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?(?:[T\s].*)?$/.exec(text);
    if (match) {
      const [year, month, day] = match.slice(1).map(Number);
      const date = new Date(Date.UTC(2000, month - 1, day));
      date.setUTCFullYear(year, month - 1, day);
      const real = year > 0 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
      return real ? Math.round(date.getTime() / 86400000) : null;
    }
    return this.spelling.isBlank(text) ? NaN : null;
  }

  // {years, days, estimated} of an age in words or as a number of the unit Y or D; null for what is none.
  age(text, unit) {
    const number = this.number(text);
    if (number !== null) return { years: unit === "Y" ? number : NaN, days: unit === "Y" ? NaN : number, estimated: false };
    let plain = this.spelling.fold(text);
    if (/^(?:(?:<|不足|不满|未满|小于)1(?:周?岁|Y)?|1周?岁以下)$/.test(plain)) return { years: 0, days: NaN, estimated: false };
    if (/^(?:新生儿|NEWBORN|NB)$/.test(plain)) return { years: 0, days: 0, estimated: true };
    const first = /^([YMD])(\d+(?:\.\d+)?)$/.exec(plain);
    if (first) plain = first[2] + first[1];
    const n = "(\\d+(?:\\.\\d+)?)";
    const spelled = new RegExp(
      `^(?:${n}(?:周?岁|周年|年|Y|YRS?|YEARS?))?零?(?:${n}(?:个?月龄?|M|MOS?|MTHS?|MONTHS?))?零?` +
        `(?:${n}(?:天|日龄?|D|DAYS?))?零?(?:${n}(?:个?小时|时|H|HRS?|HOURS?))?(?:${n}(?:分钟?|MINS?))?大?$`,
    );
    const match = spelled.exec(plain);
    if (!match || match.slice(1).every((part) => part === undefined)) return null;
    const [years, months, days, hours, minutes] = match.slice(1).map((part) => (part === undefined ? null : Number(part)));
    return drgsim.ageOf(years, months, days, minutes === null ? hours : hours || 0);
  }
};

drgsim.ageOf = function (years, months, days, hours) {
  if (years !== null && months === null && days === null && hours === null) return { years, days: NaN, estimated: false };
  const wholeMonths = (years || 0) * 12 + (months || 0);
  if (years === null && months === null) {
    const total = (days || 0) + Math.floor((hours || 0) / 24);
    return { years: Math.floor(total / 365.25), days: total, estimated: false };
  }
  const completed = Math.floor(wholeMonths / 12);
  if (completed >= 1) return { years: completed, days: NaN, estimated: false };
  return { years: 0, days: Math.floor(wholeMonths * 30.4375 + (days || 0)), estimated: wholeMonths > 0 };
};

// Whole fen of a decimal number in yuan (a half goes away from zero); null beyond what one case can cost.
drgsim.toFen = function (decimal, times) {
  const value = drgsim.ratio(decimal);
  const fen = drgsim.roundHalfAway(drgsim.times(value, [100n * (times || 1n), 1n]));
  return fen > 10000000000n || fen < -10000000000n ? null : Number(fen);
};

// Years completed on a day, lived days after a birth.
drgsim.completedYears = function (born, lived) {
  const birth = new Date(born * 86400000);
  const now = new Date((born + lived) * 86400000);
  const before =
    now.getUTCMonth() < birth.getUTCMonth() ||
    (now.getUTCMonth() === birth.getUTCMonth() && now.getUTCDate() < birth.getUTCDate());
  return now.getUTCFullYear() - birth.getUTCFullYear() - (before ? 1 : 0);
};
