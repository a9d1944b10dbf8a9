// Which columns of a file are which canonical ones; the twin of drgsim/records/layout.py, recognise.py and recipes.py.
"use strict";

drgsim.Layouts = class {
  constructor(data, spelling) {
    this.data = data;
    this.spelling = spelling;
    this.byName = new Map(data.columns.map((column) => [column.name, column]));
    this.headers = new Map();
    for (const column of data.columns)
      for (const name of [column.name, ...column.aliases]) if (!name.includes("{")) this.headers.set(this.key(name), column.name);
  }

  key(name) {
    return this.spelling.fold(name).replace(/[_-]/g, "");
  }

  // {layout, recipes, missing} that makes the most of a header; `chosen`: canonical name -> column, what a user says.
  recognise(names, chosen) {
    const readings = this.data.layouts.map((layout) => this._read(layout, names, chosen || {}));
    const full = readings.filter((reading) => !reading.missing.length);
    const best = (list) => list.reduce((a, b) => (Object.keys(b.recipes).length > Object.keys(a.recipes).length ? b : a));
    return full.length ? best(full) : best(readings);
  }

  // How well a row of cells reads as a header: columns that it gives, those that are needed counted ten times.
  score(cells) {
    const reading = this.recognise(cells.map((cell) => String(cell === null ? "" : cell)));
    const needed = this.data.columns.filter((column) => column.required).length;
    return Object.keys(reading.recipes).length + 10 * (needed - reading.missing.length);
  }

  // Whether a row of cells may be a header.
  headerLike(cells) {
    const reading = this.recognise(cells.map((cell) => String(cell === null ? "" : cell)));
    return reading.missing.length === 0 || Object.keys(reading.recipes).length >= 5;
  }

  _read(layout, names, chosen) {
    const recipes = {};
    const claims = { diagnoses: {}, procedures: {} };
    if (layout.general) this._general(names, recipes, claims);
    else this._special(layout, names, recipes, claims);
    for (const list of this.data.lists) {
      const recipe = this._list(list, claims[list], chosen);
      if (recipe) recipes[list] = recipe;
    }
    for (const [name, own] of Object.entries(chosen)) {
      if (own && !this.data.lists.includes(name) && !(this.byName.get(name) || {}).part) recipes[name] = { how: "as_is", columns: [own] };
    }
    const dated = recipes.birth_date && recipes.admitted;
    const missing = this.data.columns
      .filter((column) => column.required && !recipes[column.name] && !(dated && column.name === "age"))
      .map((column) => column.name);
    return { layout, recipes, missing };
  }

  _numbered(pattern, names) {
    const match = /^(.*)\{(\d+)-(\d+)\}(.*)$/.exec(pattern);
    if (!match) return [];
    const escaped = (text) => this.key(text).replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    const shape = new RegExp(`^${escaped(match[1])}[(\\[]?0*([0-9]+)[)\\]]?${escaped(match[4])}$`);
    const found = new Map();
    for (const name of names) {
      const hit = shape.exec(this.key(name));
      const number = hit ? Number(hit[1]) : 0;
      if (hit && number >= Number(match[2]) && number <= Number(match[3]) && !found.has(number)) found.set(number, name);
    }
    return [...found].sort((a, b) => a[0] - b[0]);
  }

  _present(entry, names) {
    const keys = new Map([...names].reverse().map((name) => [this.key(name), name]));
    return [].concat(entry).flatMap((one) => {
      if (one.includes("{")) return this._numbered(one, names).map((pair) => pair[1]);
      return keys.has(this.key(one)) ? [keys.get(this.key(one))] : [];
    });
  }

  _special(layout, names, recipes, claims) {
    for (const [canonical, ways] of Object.entries(layout.columns)) {
      for (const way of ways) {
        if (this.data.lists.includes(canonical)) {
          if (this._claim(way, names, claims[canonical])) break;
          continue;
        }
        const recipe = this._simple(way, names);
        if (recipe) {
          recipes[canonical] = recipe;
          break;
        }
      }
    }
  }

  _claim(way, names, claims) {
    if (typeof way === "string") claims.whole = this._present(way, names).map((name) => ({ how: "as_is", columns: [name] }));
    else if (way.numbered) {
      const found = this._numbered(way.numbered, names);
      if (found.length) {
        const beside = (kind) => {
          if (!way[kind]) return [];
          const own = new Map(this._numbered(way[kind], names));
          return found.map((pair) => own.get(pair[0]) || "");
        };
        claims.whole = [{ how: "codes", columns: found.map((pair) => pair[1]), flags: beside("flag"), types: beside("type") }];
      }
    } else {
      claims.principal = this._present(way.principal, names)[0] || "";
      claims.others = this._present(way.others, names);
    }
    return Boolean((claims.whole || []).length || claims.principal || (claims.others || []).length);
  }

  _simple(way, names) {
    if (typeof way === "string") {
      const found = this._present(way, names);
      return found.length ? { how: "as_is", columns: [found[0]] } : null;
    }
    const needed = this._present(way.of, names);
    if (needed.length < [].concat(way.of).length) return null;
    return { how: way.how, columns: [...needed, ...this._present(way.and || [], names)] };
  }

  _general(names, recipes, claims) {
    const found = {};
    for (const name of names) {
      const canonical = this.headers.get(this.key(name));
      if (canonical && found[canonical] !== canonical && (!found[canonical] || name === canonical)) found[canonical] = name;
    }
    for (const [name, own] of Object.entries(found))
      if (!this.data.lists.includes(name) && !this.byName.get(name).part) recipes[name] = { how: "as_is", columns: [own] };
    for (const column of this.data.columns) {
      const target = column.part || column.name;
      if (!this.data.lists.includes(target)) continue;
      const alone = found[column.name];
      const hit = column.aliases.map((alias) => this._numbered(alias, names)).find((list) => list.length) || [];
      const numbered = hit.map((pair) => pair[1]);
      if (column.name === target) {
        claims[target].whole = alone ? [{ how: "as_is", columns: [alone] }] : [];
        if (numbered.length) claims[target].whole.push({ how: "codes", columns: numbered });
      } else if (column.name.startsWith("principal")) claims[target].principal = alone || "";
      else claims[target].others = [...(alone ? [alone] : []), ...numbered];
    }
    for (const list of this.data.lists) if (found[list] === list) claims[list] = { whole: [{ how: "as_is", columns: [list] }] };
  }

  _list(name, claims, chosen) {
    const together = (own) => ({ how: own.length === 1 ? "as_is" : "codes", columns: own });
    const [principalName, othersName] = this.data.columns.filter((column) => column.part === name).map((column) => column.name);
    if (chosen[name]) return together([chosen[name]]);
    const principal = chosen[principalName] || claims.principal || "";
    const others = (chosen[othersName] ? [chosen[othersName]] : claims.others || []).filter((own) => own !== principal);
    if (chosen[principalName]) return together([principal, ...others]);
    if ((claims.whole || []).length) return claims.whole[0];
    return principal ? together([principal, ...others]) : null;
  }
};

// Makes canonical records of rows by the recipes of a header.
drgsim.RecordMaker = class {
  constructor(reading, names, reader) {
    this.cells = reader.cells;
    this.spelling = reader.spelling;
    const place = new Map(names.map((name, at) => [name, at]).reverse());
    const at = (name) => (name ? place.get(name) : -1);
    this.recipes = Object.entries(reading.recipes).map(([name, recipe]) => ({
      name,
      how: recipe.how,
      at: recipe.columns.map(at),
      flags: (recipe.flags || []).map(at),
      types: (recipe.types || []).map(at),
    }));
  }

  make(row) {
    const record = {};
    for (const recipe of this.recipes) record[recipe.name] = this["_" + recipe.how](row, recipe);
    return record;
  }

  _as_is(row, { at }) {
    return row[at[0]];
  }

  _join(row, { at }) {
    return at.map((place) => row[place]).filter((cell) => cell !== undefined && cell !== null && cell !== "").join("-");
  }

  _filled(cell) {
    return cell === undefined || cell === null || this.spelling.blankWords.has(String(cell)) ? "" : String(cell);
  }

  _codes(row, { at, flags, types }) {
    const texts = at.map((place, number) => {
      const text = this._filled(row[place]);
      const type = types.length && types[number] >= 0 ? String(row[types[number]] || "").trim() : "";
      const tcm =
        types.length && (/^\s*([A-Za-z][0-9]{2}\.[0-9]{2}\.|[A-Za-z]{2}[A-Za-z0-9]{2}|[A-Za-z]{2,}[0-9]?\s*$)/.test(text) || type === "3" || type === "4");
      return tcm ? "" : text;
    });
    const said = flags.map((place) => (place >= 0 ? this._filled(row[place]).trim() : ""));
    if (said.some((flag, number) => flag !== "" && texts[number] !== "")) {
      const first = said.findIndex((flag, number) => ["1", "是", "Y"].includes(flag) && texts[number] !== "");
      const principal = first >= 0 ? texts[first] : "";
      return [principal, ...texts.map((text, number) => (number === first ? "" : text))].join("|").replace(/\|+$/, "");
    }
    return texts.join("|").replace(/\|+$/, "");
  }

  _age(row, { at }) {
    const age = row[at[0]];
    if (at.length === 1 || this._filled(age) !== "") return age;
    const days = this.cells.age(String(row[at[1]] || ""), "D");
    return days && days.days >= 0 && days.days < 366 ? "0" : age;
  }

  _infant_days(row, { at }) {
    const text = row[at[0]];
    if (at.length === 1) return text;
    const days = this.cells.age(String(text || ""), "D");
    const age = this.cells.age(String(row[at[1]] || ""), "Y");
    return days && age && days.days === 0 && age.years >= 1 ? "" : text;
  }

  _hours(row, { at }) {
    const text = this.spelling.fold(String(row[at[0]] || ""));
    const parts = text.split("/");
    if (parts.length !== 3 || parts.some((part) => part && !/^\d+(?:\.\d*)?$/.test(part))) return row[at[0]];
    const [days, hours, minutes] = parts.map((part) => Number(part || 0));
    return String(Math.round((days * 24 + hours + minutes / 60) * 1e4) / 1e4);
  }

  _sum(row, { at }) {
    const values = at.map((place) => this.cells.fen(String(row[place] === undefined ? "" : row[place])));
    const known = values.filter((value) => value !== undefined && value !== null);
    return known.length ? String(known.reduce((a, b) => a + b, 0) / 100) : "";
  }
};
