// The matcher of DIP catalogues over the flat arrays of the kernel (drgsim/units/dip/dip_kernel.py).
"use strict";

drgsim.DIP_FLAGS = { byClass: 1, anyProcedure: 2, excluded: 4, fullCode: 8, comprehensive: 16, anywhere: 32, inOrder: 64 };

drgsim.DipEngine = class {
  constructor(scheme) {
    this.scheme = scheme;
    this.s = drgsim.unpackedArrays(scheme.arrays);
    this.facts = new drgsim.RuleFacts(this.s, { dx: "dx_bits_class", op: "op_bits_class" }, 7);
    const [place, mostDone, fullFirst, highest, rest, firstListed] = this.s.settings;
    Object.assign(this, { place, mostDone, fullFirst, highest, rest, firstListed });
  }

  group(record, reader) {
    const found = new Set(record.found);
    const invalid = reader.listed(found, "invalid");
    const nothing = { group: drgsim.UNGROUPED, name: "", severity: "none", row: -1, kind: "", aux: "", level: "", score: NaN, found };
    const cci = this._cci(record.diagnoses);
    const match = invalid.length ? { line: -1, severity: 0, excluded: false, tie: false, unlisted: false } : this.match(record, cci);
    this._note(found, record, match);
    if (invalid.length) return { ...nothing, status: "invalid", reason: invalid[0], cci };
    const severity = ["none", "CC", "MCC"][match.severity];
    const line = match.excluded ? -1 : match.line;
    const texts = line < 0 ? null : this.scheme.lines[line];
    const blank = texts === null || texts[2] === "blank";
    const reason = match.excluded
      ? "dip_excluded"
      : found.has("principal_unknown_code")
        ? "principal_unknown"
        : match.unlisted
          ? "dip_no_level"
          : "dip_no_kind";
    const answer = { ...nothing, severity, cci, status: blank ? "ungroupable" : "grouped", reason: blank ? reason : "" };
    if (texts === null) return answer;
    const [group, name, kind, aux, level] = texts;
    return { ...answer, group, name, kind, aux, level, score: this.s.line_score[line], row: line };
  }

  _note(found, record, match) {
    const { s, scheme } = this;
    const principal = record.diagnoses.length ? record.diagnoses[0] : drgsim.EMPTY;
    const asked = s.class_asks[s.dx_class[principal + 2]];
    found.delete("icu_hours_missing"); // hours are left blank where there were none
    ["los_missing", "discharge_way_missing", "department_missing"].forEach((code, bit) => {
      if (!((asked >> bit) & 1)) found.delete(code);
    });
    if (match.tie) found.add("dip_tie");
    if (match.unlisted && match.line >= 0) found.add("auxiliary_level_unlisted");
    if (scheme.wants_cost && !(record.cost === record.cost && record.cost !== undefined)) found.add("dip_cost_missing");
  }

  _cci(dx) {
    let items = 0;
    for (let at = this.scheme.all_diagnoses ? 0 : 1; at < dx.length; at++) items |= this.s.cci_masks[dx[at] + 2];
    return this.s.cci_points[items];
  }

  _mayBePrincipal(code, scope) {
    const place = this.s.op_place[code + 2];
    return place === 0 || (place > 0 && ((scope >> (place - 1)) & 1) === 1);
  }

  // The procedures that count, how many are done, and the place of the first that may be principal.
  _counting(op, scope) {
    const { s } = this;
    const counting = [];
    let done = 0;
    let lead = -1;
    for (const code of op) {
      if (s.op_excluded[code + 2]) continue;
      counting.push(code);
      if (!s.op_simple[code + 2] && this._mayBePrincipal(code, scope)) {
        if (lead < 0) lead = counting.length - 1;
        done += code !== drgsim.EMPTY ? 1 : 0;
      }
    }
    return { counting, done, lead };
  }

  _isOneOf(codes, start, stop, code) {
    for (let at = start; at < stop; at++) if (codes[at] === code) return true;
    return false;
  }

  _caseClass({ counting, done, lead }) {
    const classes = this.s.op_class;
    if (!done) return 0;
    if (!this.highest) return classes[counting[lead] + 2];
    return counting.reduce((most, code) => Math.max(most, classes[code + 2]), -1);
  }

  match(record, cci) {
    const { s } = this;
    const dx = record.diagnoses;
    const result = { line: -1, severity: 0, excluded: false, tie: false, unlisted: false };
    for (let at = 1; at < dx.length; at++) result.severity = Math.max(result.severity, this.facts.levelOf(dx[at], dx[0]));
    if (s.dx_excluded[dx[0] + 2]) return { ...result, excluded: true };
    const scope = s.dx_scope[dx[0] + 2];
    const ops = this._counting(record.procedures, scope);
    const state = {
      record, dx, cci, ...ops,
      firstMay: ops.counting.length > 0 && this._mayBePrincipal(ops.counting[0], scope),
      holds: new Int8Array(Math.max(1, s.level_entry.length)), // 0 not asked yet, 1 holds, 2 does not
      numbered: false, prepared: false, best: null, line: -1, foundStage: -1, passedStage: 1000, tie: false, excluded: false,
      levelFailed: false,
    }; // prettier-ignore
    const own = s.dx_class[dx[0] + 2];
    const stop = s.class_start[own + 1];
    let at = s.class_start[own];
    while (at < stop && state.line < 0) {
      const stage = s.cell_stage[s.class_cells[at]];
      const start = at;
      while (at < stop && s.cell_stage[s.class_cells[at]] === stage) at++;
      let wanted = this._caseClass(ops);
      for (let attempt = 0; attempt < 2; attempt++) {
        for (let place = start; place < at; place++) {
          const cell = s.class_cells[place];
          const flags = s.cell_flags[cell];
          if (attempt === 1 && !(flags & drgsim.DIP_FLAGS.comprehensive)) continue;
          if (state.line >= 0 && flags & drgsim.DIP_FLAGS.inOrder) break;
          this._try(cell, flags, wanted, stage, state);
        }
        const comprehensive = s.cell_flags[s.class_cells[start]] & drgsim.DIP_FLAGS.comprehensive;
        if (state.line >= 0 || !this.rest || !comprehensive || wanted === 0) break;
        wanted = 0; // a property without a comprehensive kind falls to the conservative one
      }
    }
    let line = state.line;
    if (line >= 0 && s.line_primary[line] >= 0) {
      const primary = s.dx_primary[dx[0] + 2];
      for (let place = s.primary_start[primary]; place < s.primary_start[primary + 1]; place++) {
        const code = s.primary[place];
        if ((code === -9 && ops.done === 0) || (ops.lead >= 0 && code === ops.counting[ops.lead])) {
          line = s.line_primary[line];
          break;
        }
      }
    }
    const unlisted = state.passedStage < 1000 && (line < 0 || state.foundStage > state.passedStage);
    return { ...result, line, tie: state.tie, excluded: state.excluded, unlisted };
  }

  // How the procedures of a case fit a combination; null when they do not.
  fit(cell, flags, wanted, state) {
    const { s } = this;
    const { counting, done, lead, firstMay } = state;
    const first = s.cell_procedure[cell];
    const last = s.cell_procedure[cell + 1];
    if (flags & drgsim.DIP_FLAGS.byClass) {
      const own = s.cell_class[cell];
      if (own !== -1 && own !== wanted) return null;
      return { inPlace: 0, matched: 0, missing: 0, exact: own !== -1 };
    }
    if (first === last) {
      if (done && !(flags & drgsim.DIP_FLAGS.anyProcedure)) return null;
      return { inPlace: 0, matched: 0, missing: 0, exact: done === 0 };
    }
    const anywhere = this.place !== 0 || (flags & drgsim.DIP_FLAGS.anywhere) !== 0;
    const is = (at) => this._isOneOf(s.principals, first, last, counting[at]);
    let place = lead >= 0 && is(lead) ? lead : firstMay && is(0) ? 0 : -1;
    if (place < 0 && anywhere) place = counting.findIndex((code, at) => is(at));
    if (place < 0) return null;
    const used = new Set([place]);
    let matched = 1;
    let missing = 0;
    for (let group = s.cell_related[cell]; group < s.cell_related[cell + 1]; group++) {
      const start = s.group_start[group];
      const stop = s.group_start[group + 1];
      const hit = counting.findIndex((code, at) => !used.has(at) && this._isOneOf(s.related, start, stop, code));
      if (hit >= 0) {
        used.add(hit);
        matched++;
      } else {
        missing++;
        if (!this.mostDone) break;
      }
    }
    if (missing && (!this.mostDone || matched === 1)) return null;
    const extra = counting.some((code, at) => !used.has(at) && code !== drgsim.EMPTY && !s.op_simple[code + 2]);
    return { inPlace: place === lead || (place === 0 && firstMay) ? 1 : 0, matched, missing, exact: missing === 0 && !extra };
  }

  _number(state) {
    if (state.numbered) return;
    state.numbered = true;
    state.record.numbers.forEach((value, place) => (this.facts.numbers[place] = value));
    this.facts.numbers[6] = state.cci;
  }

  _prepare(state) {
    if (state.prepared) return;
    state.prepared = true;
    const { record, dx } = state;
    this.facts.fillDiagnoses(dx);
    this.facts.fillProcedures(record.procedures);
    this.facts.fillTexts(record.texts);
    this.facts.fillCounts(dx, record.procedures);
  }

  _conditionHolds(number, state) {
    if (state.holds[number] === 0) state.holds[number] = this.facts.holds(this.s.level_entry[number]) ? 1 : 2;
    return state.holds[number] === 1;
  }

  _try(cell, flags, wanted, stage, state) {
    const { s } = this;
    const fit = this.fit(cell, flags, wanted, state);
    if (fit === null) return;
    const line = this.lineOf(cell, state);
    if (line === null) return;
    if (line < 0) {
      state.passedStage = Math.min(state.passedStage, stage);
      return;
    }
    const key = this._rank(cell, flags, fit, line, state.record.cost);
    const better = state.line < 0 ? 1 : drgsim.comparedRanks(key, state.best);
    if (better > 0) {
      Object.assign(state, { line, foundStage: stage, tie: false, best: key });
      state.excluded = (flags & drgsim.DIP_FLAGS.excluded) !== 0;
    } else if (better === 0) {
      state.tie = state.tie || s.line_kind[line] !== s.line_kind[state.line];
    }
  }

  // The line of a combination for the levels of the case: -1 when none is listed, null when its condition does not hold.
  lineOf(cell, state) {
    const { s } = this;
    const start = s.cell_levels[cell];
    const stop = s.cell_levels[cell + 1];
    const condition = s.cell_condition[cell];
    if (stop > start || condition >= 0) this._number(state);
    if (condition >= 0) {
      if (state.holds[condition] === 0 && !this.facts.holds(s.screen_entry[condition])) state.holds[condition] = 2;
      if (state.holds[condition] === 2) return null;
    }
    if (stop > start || condition >= 0) this._prepare(state);
    if (condition >= 0 && !this._conditionHolds(condition, state)) return null;
    if (stop === start) return s.cell_base[cell];
    const points = (line) => (Number.isNaN(s.line_score[line]) ? -1 : s.line_score[line]);
    let chosen = -1;
    let ofList = -1;
    for (let entry = start; entry < stop; entry++) {
      const [list, level, line] = s.levels.subarray(3 * entry, 3 * entry + 3);
      if (this._conditionHolds(level, state)) ofList = line;
      if ((entry + 1 === stop || s.levels[3 * entry + 3] !== list) && ofList >= 0) {
        if (chosen < 0 || (!this.firstListed && points(ofList) > points(chosen))) chosen = ofList;
        ofList = -1;
      }
    }
    return chosen < 0 ? s.cell_base[cell] : chosen;
  }

  _rank(cell, flags, fit, line, cost) {
    const { s } = this;
    const ties = [0, 0, 0];
    s.ties.forEach((tie, number) => {
      if (tie === 0) ties[number] = fit.inPlace;
      else if (tie === 1) {
        const gap = Math.abs((cost === undefined ? NaN : cost) - s.line_cost[line]);
        ties[number] = Number.isNaN(gap) ? -Infinity : -gap;
      } else ties[number] = Number.isNaN(s.line_score[line]) ? -1 : s.line_score[line];
    });
    return [
      this.fullFirst && flags & drgsim.DIP_FLAGS.fullCode ? 1 : 0, this.place === 1 ? fit.inPlace : 0, fit.exact ? 1 : 0,
      fit.matched, -fit.missing, ...ties, s.cell_shape[cell],
    ]; // prettier-ignore
  }

  // The combinations of the diagnosis with what of them the case has and lacks, in the order of matching.
  explain(record, reader) {
    const answer = this.group(record, reader);
    if (answer.status === "invalid") return { answer, kinds: [], levels: [] };
    const { s, scheme } = this;
    const dx = record.diagnoses;
    const scope = s.dx_scope[dx[0] + 2];
    const ops = this._counting(record.procedures, scope);
    const state = {
      record, dx, cci: answer.cci, ...ops,
      firstMay: ops.counting.length > 0 && this._mayBePrincipal(ops.counting[0], scope),
      holds: new Int8Array(Math.max(1, s.level_entry.length)), numbered: false, prepared: false,
    }; // prettier-ignore
    const own = s.dx_class[dx[0] + 2];
    const kinds = [];
    for (let place = s.class_start[own]; place < s.class_start[own + 1] && kinds.length < 400; place++) {
      const cell = s.class_cells[place];
      const flags = s.cell_flags[cell];
      const fit = this.fit(cell, flags, this._caseClass(ops), state);
      const line = fit ? this.lineOf(cell, state) : null;
      const shown = line !== null && line >= 0 ? line : s.cell_base[cell] >= 0 ? s.cell_base[cell] : s.levels[3 * s.cell_levels[cell] + 2];
      const [code, name, kind] = scheme.lines[shown];
      const asks = [...s.principals.subarray(s.cell_procedure[cell], s.cell_procedure[cell + 1])];
      kinds.push({ code, name, kind, fits: fit !== null && line !== null && line >= 0, fit, asks, score: s.line_score[shown], chosen: code === answer.group });
    }
    const levels = dx.slice(1).map((id) => ({
      id,
      level: ["none", "CC", "MCC"][id >= 0 ? s.dx_level[id + 2] : 0],
      excluded: id >= 0 && s.dx_level[id + 2] > 0 && !this.facts.levelOf(id, dx[0]),
    }));
    return { answer, kinds, levels };
  }
};

drgsim.comparedRanks = function (key, best) {
  for (let at = 0; at < key.length; at++) if (key[at] !== best[at]) return key[at] > best[at] ? 1 : -1;
  return 0;
};
