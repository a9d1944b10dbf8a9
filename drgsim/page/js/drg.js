// The grouper of DRG schemes over the flat arrays of the kernel (drgsim/units/drg/drg_kernel.py), and why a case has its group.
"use strict";

drgsim.UNGROUPED = "0000";

// Follow a decision graph from a node to its end.
drgsim.decide = function (s, node, words, numbers) {
  const { nodes, node_values: values, site_bits: sites } = s;
  while (node >= 0) {
    const at = node * 6;
    const kind = nodes[at];
    let holds;
    if (kind === 0) holds = (words[nodes[at + 2]] >> nodes[at + 3]) & 1;
    else if (kind === 1) holds = drgsim.compareNumbers(numbers[nodes[at + 2]], nodes[at + 1], values[node]);
    else {
      let count = 0;
      for (let site = nodes[at + 2]; site < nodes[at + 3]; site++) count += (words[sites[2 * site]] >> sites[2 * site + 1]) & 1;
      holds = drgsim.compareNumbers(count, nodes[at + 1], values[node]);
    }
    node = nodes[holds ? at + 4 : at + 5];
  }
  return node === -1;
};

drgsim.OPERATORS = [">=", "<=", ">", "<", "=", "<>"];
drgsim.compareNumbers = function (left, comparison, right) {
  switch (comparison) {
    case 0: return left >= right;
    case 1: return left <= right;
    case 2: return left > right;
    case 3: return left < right;
    case 4: return left === right;
    default: return left < right || left > right;
  }
}; // prettier-ignore

// Bits and counts of one record that rules ask for; what DRG schemes and DIP catalogues have in common.
drgsim.RuleFacts = class {
  constructor(arrays, names, plain) {
    this.s = arrays;
    this.names = names; // of the arrays of classes and bits: DRG and DIP call them differently
    this.dxWidth = arrays.width.dx_bits;
    this.opWidth = arrays.width.op_bits;
    this.opBase = arrays.row_base[3];
    this.textBase = arrays.row_base[6];
    this.words = new Int32Array(arrays.row_base[7]);
    this.plain = plain;
    this.counts = arrays.counts.length / 3;
    this.numbers = new Float64Array(plain + this.counts);
  }

  excluded(principal, exclusion) {
    const s = this.s;
    const width = s.width.exclusion_bits;
    const by = s.exclusion_class[principal + 2];
    const word = Math.floor(exclusion / 62) * 2 + (exclusion % 62 < 31 ? 0 : 1);
    return exclusion >= 0 && (s.exclusion_bits[by * width + word] >> ((exclusion % 62) % 31)) & 1;
  }

  // 0 none, 1 CC, 2 MCC of another diagnosis beside the principal one.
  levelOf(id, principal) {
    const level = this.s.dx_level[id + 2];
    return level && !this.excluded(principal, this.s.dx_exclusion[id + 2]) ? level : 0;
  }

  fillDiagnoses(dx) {
    const { words, dxWidth: width, s } = this;
    const classes = s[this.names.dx];
    words.fill(0, 0, 3 * width);
    let mcc = 0;
    let cc = 0;
    for (let at = 0; at < dx.length; at++) {
      const base = classes[dx[at] + 2] * width;
      for (let word = 0; word < width; word++) words[(at ? width : 0) + word] |= s.dx_bits[base + word];
      const level = at ? this.levelOf(dx[at], dx[0]) : 0;
      if (level === 2) mcc = 1;
      else if (level) cc = 1;
    }
    for (let word = 0; word < width; word++) words[2 * width + word] = words[word] | words[width + word];
    // bits of the lists that stand for MCC, CC and either: in the words of the other diagnoses only
    [mcc, cc, mcc | cc].forEach((has, row) => {
      words[width + s.severity_bits[2 * row]] |= has << s.severity_bits[2 * row + 1];
    });
    this.severity = mcc ? 2 : cc;
  }

  fillProcedures(op) {
    const { words, opWidth: width, opBase: base, s } = this;
    const classes = s[this.names.op];
    words.fill(0, base, base + 3 * width);
    for (let at = 0; at < op.length; at++) {
      const from = classes[op[at] + 2] * width;
      for (let word = 0; word < width; word++) words[base + (at ? width : 0) + word] |= s.op_bits[from + word];
    }
    for (let word = 0; word < width; word++) words[base + 2 * width + word] = words[base + word] | words[base + width + word];
  }

  fillTexts(texts) {
    for (let place = 0; place < texts.length; place++) this.words[this.textBase + place] = texts[place];
  }

  fillCounts(dx, op) {
    const { counts } = this.s;
    for (let number = 0; number < this.counts; number++) {
      const [asked, word, shift] = counts.subarray(3 * number, 3 * number + 3);
      const of = asked < 3 ? dx : op;
      const codes = asked % 3 === 0 ? of.slice(0, 1) : asked % 3 === 1 ? of.slice(1) : of;
      let found;
      if (word < 0) {
        const standing = dx.slice(1).filter((id) => this.s.dx_level[id + 2] & shift && this.levelOf(id, dx[0]));
        found = new Set(standing).size;
      } else {
        found = new Set(codes.filter((id) => this.isListed(id, asked < 3, word, shift))).size;
      }
      this.numbers[this.plain + number] = found;
    }
  }

  isListed(id, diagnosis, word, shift) {
    const s = this.s;
    const classes = s[diagnosis ? this.names.dx : this.names.op];
    const bits = diagnosis ? s.dx_bits : s.op_bits;
    return (bits[classes[id + 2] * (diagnosis ? this.dxWidth : this.opWidth) + word] >> shift) & 1;
  }

  holds(entry) {
    return drgsim.decide(this.s, entry, this.words, this.numbers);
  }
};

drgsim.DrgEngine = class {
  constructor(scheme) {
    this.scheme = scheme;
    this.s = drgsim.unpackedArrays(scheme.arrays);
    this.facts = new drgsim.RuleFacts(this.s, { dx: "dx_class", op: "op_class" }, 6);
    this.rowWidth = this.s.row_needs_op.length;
    this.regroup = this.s.regroup[0] === 1;
  }

  // Answer of one record that drgsim.RecordReader read.
  group(record, reader) {
    const invalid = reader.listed(record.found, "invalid");
    if (invalid.length) {
      return { status: "invalid", reason: invalid[0], group: drgsim.UNGROUPED, name: "", mdc: "", adrg: "", severity: "none", row: -1 };
    }
    const answer = this._search(record);
    const { adrgs, mdcs, drgs } = this.scheme;
    const severity = ["none", "CC", "MCC"][answer.severity];
    if (answer.drg < 0) {
      const hint = answer.mdc >= 0 ? mdcs[answer.mdc][0] : "";
      return { status: "ungroupable", reason: this._reason(record, answer), group: drgsim.UNGROUPED, name: "", mdc: "", adrg: "", severity, hint, row: -1 };
    }
    const row = this.s.drg_row[answer.drg];
    const ambiguous = this.s.row_ambiguous[row] === 1;
    return {
      status: ambiguous ? "ambiguous" : "grouped",
      reason: ambiguous ? (answer.misfit ? "procedure_outside_mdc" : "ambiguous_diagnosis") : "",
      group: drgs[answer.drg][0],
      name: drgs[answer.drg][1],
      mdc: mdcs[this.s.row_mdc[row]][0],
      adrg: adrgs[row][0],
      severity,
      row: answer.drg,
      only: answer.only,
    };
  }

  _reason(record, answer) {
    if (record.found.has("principal_unknown_code")) return "principal_unknown";
    if (record.found.has("principal_grey_code")) return "principal_grey";
    if (answer.mdc < 0) return "principal_in_no_mdc";
    return answer.holds ? "no_group_in_mdc" : "mdc_rule_not_met";
  }

  _fill(record) {
    const facts = this.facts;
    for (let place = 0; place < 6; place++) facts.numbers[place] = record.numbers[place];
    facts.fillDiagnoses(record.diagnoses);
    facts.fillTexts(record.texts);
  }

  _search(record) {
    const { s, facts } = this;
    const dx = record.diagnoses;
    const all = record.procedures;
    this._fill(record);
    const severity = facts.severity;
    let drg = -1;
    let only = -1;
    const rounds = this.regroup ? Math.max(1, all.length) : 1;
    for (let attempt = 0; attempt < rounds && drg < 0; attempt++) {
      const op = attempt ? [all[attempt]] : all;
      facts.fillProcedures(op);
      facts.fillCounts(dx, op);
      drg = this._firstDrg(dx, op);
      if (attempt && drg >= 0) only = all[attempt];
    }
    if (drg >= 0) return { drg, severity, only, misfit: this._misfit(dx, drg) };
    facts.fillProcedures(all); // the discharge as it is, not its last procedure alone
    facts.fillCounts(dx, all);
    for (let mdc = 0; mdc < s.mdc_entry.length; mdc++)
      if (s.mdc_asks[mdc] && facts.holds(s.mdc_entry[mdc])) return { drg, severity, mdc, holds: true };
    return { drg, severity, mdc: s.dx_mdc[s.dx_class[dx[0] + 2]], holds: false };
  }

  // Rows of ADRGs that the principal diagnosis and the procedures leave possible, as words of 31 bits.
  possibleRows(dx, op) {
    const { s, rowWidth: width } = this;
    const rows = new Int32Array(width);
    const first = s.dx_class[dx[0] + 2] * width;
    for (let word = 0; word < width; word++) {
      let named = 0;
      for (let at = 0; at < op.length; at++) {
        const from = s.op_class[op[at] + 2] * width + word;
        named |= at ? s.op_rows_other[from] : s.op_rows_principal[from];
      }
      rows[word] = s.dx_rows[first + word] & (~s.row_needs_op[word] | named);
    }
    return rows;
  }

  _firstDrg(dx, op) {
    const { s, facts } = this;
    const rows = this.possibleRows(dx, op);
    let mdc = -1;
    let mdcHolds = false;
    for (let word = 0; word < this.rowWidth; word++) {
      let left = rows[word] & 0x7fffffff;
      while (left) {
        const lowest = left & -left;
        left ^= lowest;
        const row = this._row(word, 31 - Math.clz32(lowest));
        if (s.row_mdc[row] !== mdc) {
          mdc = s.row_mdc[row];
          mdcHolds = facts.holds(s.mdc_entry[mdc]);
        }
        if (!mdcHolds || !facts.holds(s.row_entry[row])) continue;
        for (let drg = s.row_first_drg[row]; drg < s.row_first_drg[row + 1]; drg++) if (facts.holds(s.drg_entry[drg])) return drg;
      }
    }
    return -1;
  }

  _row(word, bit) {
    return (word >> 1) * 62 + (word & 1) * 31 + bit;
  }

  // Whether an ambiguous group held only because of the procedures: without them its rule does not hold.
  _misfit(dx, drg) {
    const { s, facts } = this;
    const row = s.drg_row[drg];
    if (!s.row_ambiguous[row]) return false;
    facts.words.fill(0, facts.opBase, facts.textBase);
    for (let number = 0; number < facts.counts; number++)
      if (s.counts[3 * number] >= 3) facts.numbers[facts.plain + number] = 0;
    return !facts.holds(s.row_entry[row]);
  }

  // What was tried: the MDCs, ADRGs and DRGs in their order down to the one that holds, and those that nearly held.
  explain(record, reader) {
    const answer = this.group(record, reader);
    if (answer.status === "invalid") return { answer, tried: [], near: [], levels: [] };
    const { s, facts, scheme } = this;
    const dx = record.diagnoses;
    const op = answer.only >= 0 ? [answer.only] : record.procedures;
    this._fill(record);
    facts.fillProcedures(op);
    facts.fillCounts(dx, op);
    const tried = [];
    const near = [];
    const tracer = new drgsim.Tracer(facts, reader, dx, op);
    let found = false;
    scheme.mdcs.forEach((entry, mdc) => {
      if (found || !this._claims(dx, op, mdc)) return;
      const rule = tracer.trace(entry[3]);
      const below = [];
      if (rule.holds) {
        for (let row = 0; row < s.row_mdc.length && !found; row++) {
          if (s.row_mdc[row] !== mdc || !this._possible(dx, row)) continue;
          const [code, name, kind, words, tree] = scheme.adrgs[row];
          const adrg = { code, name, kind, words, rule: tracer.trace(tree), below: [] };
          below.push(adrg);
          if (!adrg.rule.holds) {
            if (adrg.rule.missing === 1) near.push({ ...adrg, mdc: entry[0] });
            continue;
          }
          for (let drg = s.row_first_drg[row]; drg < s.row_first_drg[row + 1] && !found; drg++) {
            const [drgCode, drgName, drgWords, drgTree] = scheme.drgs[drg];
            const traced = { code: drgCode, name: drgName, words: drgWords, rule: tracer.trace(drgTree) };
            adrg.below.push(traced);
            found = traced.rule.holds;
            if (!found && traced.rule.missing === 1) near.push({ ...traced, mdc: entry[0], adrg: code });
          }
        }
      }
      tried.push({ code: entry[0], name: entry[1], words: entry[2], rule, below });
    });
    const levels = dx.slice(1).map((id) => ({
      id,
      level: ["none", "CC", "MCC"][id >= 0 ? s.dx_level[id + 2] : 0],
      excluded: id >= 0 && s.dx_level[id + 2] > 0 && !facts.levelOf(id, dx[0]),
    }));
    // those of the same ADRG first, then of the same MDC
    const mdc = answer.mdc || answer.hint;
    const own = near.filter((each) => each.mdc === mdc);
    const rank = (each) => (each.adrg && each.adrg === answer.adrg ? 0 : 1);
    return { answer, tried, near: own.sort((a, b) => rank(a) - rank(b)).slice(0, 12), levels };
  }

  _claims(dx, op, mdc) {
    const { s } = this;
    for (let row = 0; row < s.row_mdc.length; row++) if (s.row_mdc[row] === mdc && this._possible(dx, row)) return true;
    return false;
  }

  // Whether the principal diagnosis does not contradict the rules of a row.
  _possible(dx, row) {
    const word = Math.floor(row / 62) * 2 + (row % 62 < 31 ? 0 : 1);
    return (this.s.dx_rows[this.s.dx_class[dx[0] + 2] * this.rowWidth + word] >> ((row % 62) % 31)) & 1;
  }
};

// Evaluates the trees of rules and keeps what made them hold; `missing` is how many tests more would have to hold.
drgsim.Tracer = class {
  constructor(facts, reader, dx, op) {
    this.facts = facts;
    this.codes = { ZYZD: dx.slice(0, 1), QTZD: dx.slice(1), ZYSS: op.slice(0, 1), QTSS: op.slice(1) };
    this.reader = reader;
    this.dx = dx;
  }

  trace(tree) {
    const [kind, ...rest] = tree;
    return this["_" + kind](...rest);
  }

  _always() {
    return { holds: true, missing: 0, text: "1", hits: [] };
  }

  _not(inner) {
    const part = this.trace(inner);
    return { holds: !part.holds, missing: part.holds ? 1 : 0, not: true, parts: [part], hits: part.holds ? part.hits : [] };
  }

  _and(...trees) {
    const parts = trees.map((tree) => this.trace(tree));
    return {
      holds: parts.every((part) => part.holds),
      missing: parts.reduce((sum, part) => sum + part.missing, 0),
      how: "and",
      parts,
      hits: parts.flatMap((part) => (part.holds ? part.hits : [])),
    };
  }

  _or(...trees) {
    const parts = trees.map((tree) => this.trace(tree));
    return {
      holds: parts.some((part) => part.holds),
      missing: Math.min(...parts.map((part) => part.missing)),
      how: "or",
      parts,
      hits: parts.flatMap((part) => (part.holds ? part.hits : [])),
    };
  }

  _hits(variables, word, shift, base) {
    return variables.flatMap((variable) => {
      const diagnosis = variable.endsWith("ZD");
      return this.codes[variable]
        .filter((id) => id >= 0 && this.facts.isListed(id, diagnosis, base === undefined ? word : word - base, shift))
        .map((id) => ({ id, diagnosis }));
    });
  }

  _levelHits(sets) {
    return this.codes.QTZD.filter((id) => id >= 0 && sets.includes(["", "CC", "MCC"][this.facts.levelOf(id, this.dx[0])])).map(
      (id) => ({ id, diagnosis: true }),
    );
  }

  _in(variables, sets, word, shift) {
    const { facts } = this;
    const holds = ((facts.words[word] >> shift) & 1) === 1;
    const row = [["ZYZD"], ["QTZD"], ["QTZD", "ZYZD"], ["ZYSS"], ["QTSS"], ["QTSS", "ZYSS"]].findIndex(
      (names) => names.join() === [...variables].sort().join(),
    );
    const levels = ["MCC", "CC"].includes(sets[0]);
    const hits = holds ? (levels ? this._levelHits(sets) : this._hits(variables, word, shift, facts.s.row_base[row])) : [];
    return { holds, missing: holds ? 0 : 1, variables, sets, hits };
  }

  _compare(variable, column, operator, value) {
    const seen = this.facts.numbers[column];
    const holds = drgsim.compareNumbers(seen, drgsim.OPERATORS.indexOf(operator), value);
    return { holds, missing: holds ? 0 : 1, variable, operator, value, seen: Number.isNaN(seen) ? null : seen, hits: [] };
  }

  _text(variable, words, word, shift) {
    const holds = ((this.facts.words[word] >> shift) & 1) === 1;
    return { holds, missing: holds ? 0 : 1, variable, words, hits: [] };
  }

  _count(sets, variables, column, operator, value, listed) {
    const seen = this.facts.numbers[column];
    const holds = drgsim.compareNumbers(seen, drgsim.OPERATORS.indexOf(operator), value);
    const hits = listed ? this._hits(variables, listed[0], listed[1]) : this._levelHits(sets);
    return { holds, missing: holds ? 0 : 1, count: sets, variables, operator, value, seen, hits };
  }

  _sites(places, variables, operator, value) {
    const standing = places.filter(([word, shift]) => (this.facts.words[word] >> shift) & 1);
    const holds = drgsim.compareNumbers(standing.length, drgsim.OPERATORS.indexOf(operator), value);
    return { holds, missing: holds ? 0 : 1, sites: standing.map((place) => place[2]), variables, operator, value, seen: standing.length, hits: [] };
  }
};
