// Spelled code lists to ids of the dictionaries; the twin of drgsim/records/code_dictionaries.py, code_mending.py, damaged_codes.py.
"use strict";

drgsim.UNKNOWN = -1;
drgsim.EMPTY = -2;

drgsim.Spelling = class {
  constructor(data) {
    this.spelled = new Map(Object.entries(data.spelled));
    this.blanks = new Set(data.blanks);
    this.blankWords = new Set(data.blank_words);
    this.errors = data.errors;
    this.damaged = new RegExp(data.damaged);
  }

  _write(text, blank) {
    let out = "";
    for (const sign of text) {
      const written = this.spelled.get(sign);
      out += this.blanks.has(sign) ? blank : written === undefined ? sign : written;
    }
    return out;
  }

  fold(text) {
    return this._write(text, "");
  }

  isBlank(text) {
    return this.blankWords.has(this.fold(text));
  }

  // Cells of a list of codes, with names and blanks, else folded.
  cells(text) {
    return this._write(text, " ").split(/[|;,、\n]/);
  }

  split(text) {
    const found = this.cells(text).map((cell) => {
      const code = this._codeOf(cell);
      return this.blankWords.has(code) ? "" : code;
    });
    const others = found.slice(1).filter((code) => code);
    return found[0] || others.length ? [found[0], ...others] : [];
  }

  // The code of a cell without the name after it.
  _codeOf(cell) {
    if (/^[A-Z0-9.+*]*$/.test(cell)) return cell;
    let code = "";
    let length = 0;
    const signs = [...cell];
    for (let at = 0; at < signs.length; at++) {
      const sign = signs[at];
      const wide = sign > "\x7f";
      const mayEnd = length >= 3 && code[0] <= "\x7f";
      if (sign === " ") {
        if (mayEnd && this._isName(signs.slice(at).join("").replace(/^ +/, ""))) break;
        continue;
      }
      if (wide || "([{)]}:-_".includes(sign)) {
        if (mayEnd) break;
        if (length === 0 && "([{)]}".includes(sign)) continue;
      }
      code += sign;
      length += wide ? new TextEncoder().encode(sign).length : 1;
    }
    return code;
  }

  _isName(text) {
    if (text === "" || ".+*".includes(text[0])) return false;
    if (text[0] === "X" && (text.length === 1 || " 0123456789".includes(text[1]))) return false;
    return /^[A-Za-z]{2}/.test(text) || /[([{)\]}:_-]/.test(text) || /[^\x00-\x7f]/.test(text);
  }
};

// One side of the dictionaries (diagnoses or procedures) with the local codes of a scheme after it.
drgsim.CodeList = class {
  constructor(side, local, spelling) {
    this.spelling = spelling;
    this.codes = side.codes.split("\n").concat(local.map((pair) => pair[0]));
    this.names = side.names.split("\n").concat(local.map((pair) => pair[1]));
    this.grey = new Set(side.grey);
    this.keys = new Map();
    const folded = this.codes.map((code) => spelling.fold(code));
    folded.forEach((key, id) => this.keys.set(key, id));
    folded.forEach((key, id) => {
      if (this.codes[id].endsWith("*") && !this.keys.has(key.slice(0, -1))) this.keys.set(key.slice(0, -1), id);
    });
  }

  // Dagger half -> the pairs that begin with it.
  get pairs() {
    if (!this._pairs) {
      this._pairs = new Map();
      this.codes.forEach((code) => {
        if (!code.includes("+")) return;
        const dagger = this.spelling.fold(code).split("+")[0];
        this._pairs.set(dagger, [...(this._pairs.get(dagger) || []), code]);
      });
    }
    return this._pairs;
  }

  // What a spreadsheet leaves of a code that reads as a number -> the codes.
  get byNumber() {
    if (!this._byNumber) {
      this._byNumber = new Map();
      for (const code of this.codes) {
        const match = /^(\d{2})\.(\d{2,5})$/.exec(code);
        if (!match) continue;
        const key = Number(match[1]) + "." + match[2].replace(/0+$/, "");
        this._byNumber.set(key, [...(this._byNumber.get(key) || []), code]);
      }
    }
    return this._byNumber;
  }

  find(folded) {
    if (!folded) return drgsim.EMPTY;
    const id = this.keys.get(folded);
    return id === undefined ? drgsim.UNKNOWN : id;
  }

  nameOf(folded) {
    const id = this.find(folded);
    return id >= 0 ? this.names[id] : "";
  }

  // A cell of codes as ids, with what the dictionary makes certain, and what was noted in reading it.
  read(text, procedures) {
    const spelling = this.spelling;
    const noted = [];
    let codes = spelling.split(text);
    let ids = codes.map((code) => this.find(code));
    if (!ids.includes(drgsim.UNKNOWN)) return { ids, noted, codes };
    const mended = /[*+]|[^\x00-\x7f]/.test(text) ? this._mended(text) : null;
    if (mended) {
      codes = mended.codes;
      ids = codes.map((code) => this.find(code));
      if (mended.paired) noted.push("pair_joined");
    }
    // as the engine does it: an error or a damaged number is looked for only where a code is unknown still
    if (ids.includes(drgsim.UNKNOWN)) {
      if (procedures) this._restore(text, ids, noted);
      if (ids.includes(drgsim.UNKNOWN) && this._hasError(text)) noted.push("code_unreadable");
    }
    return { ids, noted, codes };
  }

  _hasError(text) {
    return text.includes("#") && (this.spelling.errors.some((error) => text.includes(error)) || /#{4,}/.test(text));
  }

  _mended(text) {
    const spelling = this.spelling;
    const found = [];
    let before = "";
    let changed = false;
    for (const cell of spelling.cells(text)) {
      let code = spelling.split(cell)[0] || "";
      if (code && !this.keys.has(code)) {
        const plain = spelling.fold(cell).replace(/^[()[\]]+|[()[\]]+$/g, "");
        const restOfName =
          this.keys.has(before) &&
          !/^(?:[A-Z][0-9]{2}|[0-9]{2}[0-9.])/.test(plain) &&
          spelling.fold(this.nameOf(before)).includes(plain);
        if (restOfName) {
          changed = true;
          continue;
        }
        const own = /[^\x00-\x7f]/.test(plain) ? this._besideItsName(plain) : "";
        changed = changed || own !== "";
        code = own || code;
      }
      before = code;
      if (code || !found.length) found.push(code);
    }
    const joined = this._pairsJoined(found);
    const paired = joined.length !== found.length;
    return changed || paired ? { codes: joined, paired } : null;
  }

  _besideItsName(plain) {
    const signs = [...plain];
    for (let length = Math.min(signs.length - 1, 21); length > 2; length--) {
      for (const [code, name] of [
        [signs.slice(0, length), signs.slice(length)],
        [signs.slice(-length), signs.slice(0, -length)],
      ]) {
        const key = code.join("");
        if (this.keys.has(key) && name.join("") === this.spelling.fold(this.nameOf(key))) return key;
      }
    }
    return "";
  }

  _pairsJoined(found) {
    const unknown = [];
    found.forEach((code, place) => {
      if (code && this.find(code) === drgsim.UNKNOWN) unknown.push(place);
    });
    const result = [...found];
    for (const place of unknown) {
      const dagger = found[place].replace(/\++$/, "");
      const fits = [];
      for (const pair of this.pairs.get(dagger) || []) {
        const folded = this.spelling.fold(pair);
        const star = folded.slice(folded.indexOf("+") + 1).replace(/\*+$/, "");
        for (const other of unknown) if (other > place && star === found[other].replace(/\*+$/, "")) fits.push([other, folded]);
      }
      if (fits.length === 1 && result[fits[0][0]] !== null) {
        result[place] = fits[0][1];
        result[fits[0][0]] = null;
      }
    }
    return result.filter((code) => code !== null);
  }

  // Procedures that a spreadsheet turned into numbers or dates.
  _restore(text, ids, noted) {
    const spelling = this.spelling;
    const cells = text.split(/[|;,、\n；，｜]/).map((cell) => (spelling.isBlank(cell) ? "" : cell));
    const others = cells.slice(1).filter((cell) => cell);
    const whole = cells[0] || others.length ? [cells[0], ...others] : [];
    if (whole.length !== ids.length || !spelling.damaged.test(text)) return;
    whole.forEach((cell, place) => {
      if (ids[place] !== drgsim.UNKNOWN) return;
      const fitting = drgsim.fittingCodes(cell, this);
      if (fitting === null) return;
      noted.push(fitting.length === 1 ? "procedure_restored" : "procedure_damaged");
      if (fitting.length === 1) ids[place] = this.find(spelling.fold(fitting[0]));
    });
  }
};

drgsim.MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

// Codes that a spreadsheet could have turned into this text; null for a text that is no number and no date.
drgsim.fittingCodes = function (text, list) {
  const narrow = text.replace(/[０-９]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) - 0xfee0));
  const plain = narrow.replace(/^[ '="\t]+|[ '="\t]+$/g, "").toUpperCase();
  const keys = [];
  const number = /^(\d{1,2})(?:\.(\d{1,17}))?$/.exec(plain);
  const pair = (before, after) => {
    keys.push(before + "." + String(after).padStart(2, "0").replace(/0+$/, ""));
    if (after < 10) keys.push(before + "." + String(after).replace(/0+$/, ""));
  };
  if (number) {
    let whole = Number(number[1]);
    let digits = number[2] || "";
    if (digits.length > 5) {
      const rounded = Number(plain).toFixed(5);
      if (Math.abs(Number(plain) - Number(rounded)) > 1e-9) return [];
      whole = Number(rounded.split(".")[0]);
      digits = rounded.split(".")[1];
    }
    keys.push(whole + "." + digits.replace(/0+$/, ""));
  } else {
    let match;
    if ((match = /^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[T ].*)?$/.exec(plain))) {
      const [year, month, day] = match.slice(1).map(Number);
      pair(month, day);
      pair(day, month);
      if (day === 1) pair(month, year % 100);
    } else if ((match = /^(\d{1,2})[-/月](\d{1,2})日?$/.exec(plain))) {
      pair(Number(match[1]), Number(match[2]));
      pair(Number(match[2]), Number(match[1]));
    } else if ((match = /^(?:(\d{1,2})-([A-Z]{3})|([A-Z]{3})-(\d{2}))$/.exec(plain))) {
      const month = drgsim.MONTHS.indexOf(match[2] || match[3]) + 1;
      const day = Number(match[1] || match[4]);
      if (month) {
        pair(month, day);
        pair(day, month);
      }
    }
    if (!keys.length) return null;
  }
  const found = [];
  for (const key of [...new Set(keys)].sort())
    for (const code of list.byNumber.get(key) || []) if (!found.includes(code)) found.push(code);
  return found;
};
