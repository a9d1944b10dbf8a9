// What a case is: its group and price, why, what nearly held, and what other codings of the same record would give.
"use strict";

drgsim.CaseAnswer = class {
  constructor(app) {
    this.app = app;
    this.element = drgsim.el("div", { class: "answer", "aria-live": "polite" });
    this.pinned = null;
  }

  // group and price of a record of canonical texts
  solve(record) {
    const { engine, reader } = this.app.parts();
    const read = reader.read(record);
    const answer = engine.group(read, reader);
    return { record, read, answer, price: this._price(record, read, answer), warnings: reader.listed(answer.found || read.found, "warning") };
  }

  _price(record, read, answer) {
    const prices = this.app.prices();
    if (!prices) return null;
    const { reader } = this.app.parts();
    const fen = reader.cells.fen(record.total_cost || "");
    if (answer.status === "invalid") return { refused: "invalid" };
    return prices.price({
      ...this.app.terms(),
      group: answer.group,
      cost: fen === undefined ? null : fen,
      days: read.numbers[4],
      age: read.numbers[0],
    });
  }

  show(record) {
    const { el, fill } = drgsim;
    const { say } = this.app.words;
    this.record = record;
    if (!record.diagnoses && !record.procedures) {
      fill(this.element, el("p", { class: "hint" }, say("type_a_case")));
      return;
    }
    const solved = this.solve(record);
    const { engine, reader } = this.app.parts();
    const told = engine.explain(solved.read, reader);
    fill(
      this.element,
      this._headline(solved),
      this._compared(solved),
      this._alternatives(solved),
      this._section("why", engine.scheme.unit === "drg" ? this._tree(told) : this._kinds(told)),
      this._levels(told, reader),
      this._near(told),
      el("p", { class: "small" }, say("follows_the_record")),
    );
  }

  _section(title, ...content) {
    const { el } = drgsim;
    return el("section", {}, el("h3", {}, this.app.words.say(title)), ...content);
  }

  _headline(solved) {
    const { el } = drgsim;
    const { say, of } = this.app.words;
    const { answer, price, warnings } = solved;
    const found = this.app.finding(answer.reason);
    const severity = answer.severity && answer.severity !== "none" ? answer.severity : "";
    return el(
      "div", { class: "headline " + answer.status },
      el("p", { class: "group" }, el("span", { class: "code" }, answer.group), " ", answer.name),
      el("p", { class: "facts" }, [
        say("status_" + answer.status), answer.mdc || "", answer.adrg ? "ADRG " + answer.adrg : "", severity,
        answer.kind ? of({ zh: (this.app.parts().engine.scheme.kinds || {})[answer.kind], en: answer.kind }) : "",
        answer.score === answer.score && answer.score !== undefined ? say("score") + " " + answer.score : "",
        answer.level ? [answer.aux, answer.level].join(" ") : "",
      ].filter(Boolean).join(" · ")),
      found ? el("p", { class: "reason" }, of(found)) : null,
      price ? this._money(price) : null,
      warnings.map((code) => el("p", { class: "warning" }, "⚠ " + of(this.app.finding(code) || { en: code, zh: code }))),
      el("p", { class: "actions no-print" },
        el("button", { type: "button", onclick: () => this._pin(solved) }, say("compare_with_this")),
        el("button", { type: "button", onclick: () => window.print() }, say("print_slip"))),
    ); // prettier-ignore
  }

  _money(price) {
    const { el } = drgsim;
    const { say, yuan, of } = this.app.words;
    const data = this.app.prices().data;
    const name = (word) => of({ zh: data.classes[word], en: word.replace(/_/g, " ") });
    const lines = [];
    if (price.standard !== undefined) lines.push([say("standard"), yuan(price.standard) + " " + say("yuan")]);
    if (price.relative_value !== undefined) lines.push([say("value_" + data.unit), String(Number(price.relative_value))]);
    if (price.k !== undefined) lines.push([say("coefficient"), String(Number(price.k))]);
    if (price.amount !== undefined) {
      lines.push([say("paid"), yuan(price.amount) + " " + say("yuan")]);
      lines.push([say("case_class"), name(price.class)]);
      if (price.ratio !== undefined) lines.push([say("cost_ratio"), price.ratio.toFixed(3)]);
    } else lines.push([say("paid"), say("needs_" + (price.needs || price.refused)) || price.refused]);
    return el("dl", { class: "money" }, lines.map(([term, value]) => [el("dt", {}, term), el("dd", {}, value)]));
  }

  _pin(solved) {
    this.pinned = solved;
    this.show(this.record);
  }

  // Beside the case that was kept: group, value and yuan of both.
  _compared(solved) {
    if (!this.pinned || JSON.stringify(this.pinned.record) === JSON.stringify(solved.record)) return null;
    const rows = [this._row(this.pinned, this.app.words.say("kept_case")), this._row(solved, this.app.words.say("this_case"), this.pinned)];
    return this._section("comparison", this._table(rows));
  }

  _row(solved, what, base) {
    const { el } = drgsim;
    const { yuan } = this.app.words;
    const { answer, price } = solved;
    const amount = price && (price.amount !== undefined ? price.amount : price.standard);
    const before = base && base.price && (base.price.amount !== undefined ? base.price.amount : base.price.standard);
    const known = amount !== undefined && amount !== null;
    const change = known && before !== undefined && before !== null ? BigInt(amount) - BigInt(before) : null;
    const value = price && price.relative_value !== undefined ? String(Number(price.relative_value)) : answer.score === answer.score && answer.score !== undefined ? String(answer.score) : "";
    const moved = base && (answer.group !== base.answer.group || (change !== null && change !== 0n));
    return el(
      "tr", { class: base && answer.group !== base.answer.group ? "changed" : "", "data-moved": moved ? "1" : null },
      el("td", {}, what), el("td", {}, el("span", { class: "code" }, answer.group), " ", answer.name), el("td", { class: "number" }, value),
      el("td", { class: "number" }, known ? yuan(amount) : ""), el("td", { class: "number" }, change === null ? "" : (change > 0n ? "+" : "") + yuan(change)),
    ); // prettier-ignore
  }

  _table(rows) {
    const { el } = drgsim;
    const { say } = this.app.words;
    const unit = this.app.parts().engine.scheme.unit;
    const heads = ["coding", "group", unit === "dip" ? "score" : "weight", "yuan_paid", "change"].map((key, place) => el("th", { class: place > 1 ? "number" : "" }, say(key)));
    return el("div", { class: "scroll" }, el("table", {}, el("thead", {}, el("tr", {}, heads)), el("tbody", {}, rows)));
  }

  // Every other diagnosis or procedure as the principal one, and the record without each of the others.
  _alternatives(solved) {
    const { say } = this.app.words;
    const rows = [];
    for (const side of ["diagnoses", "procedures"]) {
      const codes = solved.record[side] ? solved.record[side].split("|") : [];
      const book = this.app.parts().reader[side];
      const named = (code) => (book.find(code) >= 0 ? book.codes[book.find(code)] + " " + book.nameOf(code) : code);
      codes.forEach((code, place) => {
        const others = codes.filter((each, at) => at !== place);
        if (place) rows.push(this._row(this.solve({ ...solved.record, [side]: [code, ...others].join("|") }), say("as_principal_" + side, { code: named(code) }), solved));
        if (place || side === "procedures") rows.push(this._row(this.solve({ ...solved.record, [side]: others.join("|") }), say("without", { code: named(code) }), solved));
      });
    }
    if (!rows.length) return null;
    const { el } = drgsim;
    const moved = rows.filter((row) => row.dataset.moved);
    const rest = rows.filter((row) => !row.dataset.moved);
    return this._section(
      "alternatives",
      moved.length ? this._table(moved) : null,
      rest.length ? el("details", {}, el("summary", {}, say("change_nothing", { count: rest.length })), this._table(rest)) : null,
    );
  }

  _levels(told, reader) {
    const { el } = drgsim;
    const { say } = this.app.words;
    const standing = told.levels.filter((each) => each.level !== "none");
    if (!standing.length) return null;
    return this._section(
      "severities",
      el("ul", { class: "plain" }, standing.map((each) =>
        el("li", {}, el("span", { class: "code" }, reader.diagnoses.codes[each.id]), " ", reader.diagnoses.names[each.id], " — ", each.level, each.excluded ? " · " + say("excluded") : ""))),
    ); // prettier-ignore
  }

  _names(hits) {
    const { reader } = this.app.parts();
    const seen = new Set();
    return hits.map(({ id, diagnosis }) => reader[diagnosis ? "diagnoses" : "procedures"].codes[id]).filter((code) => !seen.has(code) && seen.add(code)).join(", ");
  }

  // Lines of a traced rule: what was asked, and by which codes it held.
  _rule(trace) {
    const { el } = drgsim;
    const { say } = this.app.words;
    const sign = trace.holds ? "✓" : "✗";
    if (trace.parts) {
      const word = trace.not ? say("not") : say(trace.how);
      return el("li", { class: trace.holds ? "holds" : "fails" }, sign + " " + word, el("ul", {}, trace.parts.map((part) => this._rule(part))));
    }
    const variables = trace.variables || [trace.variable];
    const asked = variables.filter(Boolean).map((name) => say("var_" + name)).join(" / ");
    let text = trace.text || asked;
    if (trace.sets) text += " ∈ " + trace.sets.join(", ");
    if (trace.count) text += " ∩ " + trace.count.join(", ");
    if (trace.words) text += " ∈ " + trace.words.join(", ");
    if (trace.operator) text += ` ${trace.operator} ${trace.value} (${trace.seen === null ? say("not_stated") : trace.seen})`;
    const hits = trace.hits && trace.hits.length ? " ← " + this._names(trace.hits) : "";
    return el("li", { class: trace.holds ? "holds" : "fails" }, sign + " " + text + hits);
  }

  _tree(told) {
    const { el } = drgsim;
    const node = (each, open) =>
      el("details", { open, class: each.rule.holds ? "holds" : "fails" },
        el("summary", {}, (each.rule.holds ? "✓ " : "✗ ") + each.code + " " + each.name),
        el("code", { class: "rule" }, each.words), el("ul", { class: "trace" }, this._rule(each.rule)), parts(each.below || [])); // prettier-ignore
    // groups that do not hold are many: they are folded together, where they stand
    const parts = (below) => {
      const failed = below.filter((one) => !one.rule.holds);
      const held = below.filter((one) => one.rule.holds).map((one) => node(one, true));
      if (failed.length < 4) return below.map((one) => node(one, one.rule.holds));
      return [el("details", { class: "fails" }, el("summary", {}, this.app.words.say("tried_in_vain", { count: failed.length })), failed.map((one) => node(one, false))), held];
    };
    return told.tried.length ? told.tried.map((each) => node(each, each.rule.holds)) : el("p", { class: "hint" }, this.app.words.say("nothing_tried"));
  }

  _near(told) {
    const { el } = drgsim;
    const near = told.near || [];
    if (!near.length) return null;
    return this._section("near", el("p", { class: "small" }, this.app.words.say("near_hint")),
      near.map((each) => el("details", {}, el("summary", {}, each.code + " " + each.name), el("ul", { class: "trace" }, this._rule(each.rule))))); // prettier-ignore
  }

  _kinds(told) {
    const { el } = drgsim;
    const { say, of } = this.app.words;
    const { engine, reader } = this.app.parts();
    const rows = told.kinds.slice().sort((a, b) => Number(b.fits) - Number(a.fits)).slice(0, 60).map((kind) =>
      el("tr", { class: kind.chosen && kind.fits ? "changed" : "" },
        el("td", {}, kind.fits ? "✓" : "✗"), el("td", {}, el("span", { class: "code" }, kind.code), " ", kind.name),
        el("td", {}, of({ zh: engine.scheme.kinds[kind.kind], en: kind.kind })),
        el("td", {}, kind.asks.map((id) => reader.procedures.codes[id]).filter(Boolean).slice(0, 6).join(", ")),
        el("td", { class: "number" }, kind.score === kind.score ? kind.score : ""))); // prettier-ignore
    const heads = ["fits", "group", "kind", "asks_procedure", "score"].map((key, place) => el("th", { class: place > 3 ? "number" : "" }, say(key)));
    return el("div", { class: "scroll" }, el("table", {}, el("thead", {}, el("tr", {}, heads)), el("tbody", {}, rows)));
  }
};
