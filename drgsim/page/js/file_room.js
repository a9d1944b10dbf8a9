// A file: drop it, map what was not understood, watch, stop, look at the summary, download the result.
"use strict";

drgsim.FileRoom = class {
  constructor(app) {
    this.app = app;
    const { el } = drgsim;
    this.input = el("input", { type: "file", id: "file-input", accept: ".csv,.txt,.tsv,.xlsx,.xlsm", onchange: () => this.open(this.input.files[0]) });
    this.label = el("label", { for: "file-input" });
    this.drop = el("div", {
      class: "drop", ondragover: (event) => event.preventDefault(),
      ondrop: (event) => { event.preventDefault(); this.open(event.dataTransfer.files[0]); },
    }, this.label, this.input); // prettier-ignore
    this.bar = el("progress", { max: 1, value: 0, hidden: true });
    this.stop = el("button", { type: "button", hidden: true, onclick: () => this.worker.postMessage({ kind: "stop" }) });
    this.told = el("div", { "aria-live": "polite" });
    this.element = el("div", {}, this.drop, el("p", {}, this.bar, " ", this.stop), this.told);
    this.chosen = {};
  }

  show() {
    const { say } = this.app.words;
    this.label.textContent = say("drop_file");
    this.stop.textContent = say("stop");
    if (this.answer) this._tell(this.answer);
    else drgsim.fill(this.told, drgsim.el("p", { class: "hint" }, say("file_hint")));
  }

  open(file, chosen) {
    if (!file) return;
    this.file = file;
    this.chosen = chosen || {};
    this.answer = null;
    this.bar.hidden = this.stop.hidden = false;
    this.bar.value = 0;
    if (!this.worker) {
      this.worker = this.app.worker();
      this.worker.onmessage = (event) => this._hear(event.data);
    }
    const { prices } = { prices: this.app.prices() };
    this.worker.postMessage({ kind: "group", file, scheme: this.app.scheme, policy: prices ? prices.data.id : "", chosen: this.chosen, terms: this.app.terms() });
  }

  _hear(message) {
    if (message.kind === "progress") {
      this.bar.value = message.share;
      drgsim.fill(this.told, this.app.words.say("records_so_far", { count: this.app.words.count(message.records) }));
      return;
    }
    this.bar.hidden = this.stop.hidden = true;
    this.answer = message;
    this._tell(message);
  }

  _tell(message) {
    if (message.kind === "failed") this._failed(message);
    else this._done(message);
  }

  _failed({ code, detail, names, missing, recipes }) {
    const { el, fill } = drgsim;
    const { say } = this.app.words;
    const parts = [el("p", { class: "reason" }, say(code, { detail }), code === "page-fault" ? " " + detail : ""), el("p", { class: "small" }, "[" + code + "]")];
    if (names) parts.push(this._mapping(names, missing, recipes));
    fill(this.told, parts);
  }

  // Columns that were not understood, chosen by hand.
  _mapping(names, missing, recipes) {
    const { el } = drgsim;
    const { say } = this.app.words;
    const selects = {};
    const lines = missing.map((name) => {
      const wanted = { diagnoses: ["diagnoses", "principal_diagnosis", "other_diagnoses"], procedures: ["procedures", "principal_procedure", "other_procedures"] }[name] || [name];
      return wanted.map((each) => {
        selects[each] = el("select", { id: "map-" + each }, el("option", { value: "" }, "—"), names.map((own) => el("option", { value: own }, own)));
        return el("p", {}, el("label", { for: "map-" + each }, say(each) + " "), selects[each]);
      });
    });
    const go = () => {
      const chosen = { ...this.chosen };
      for (const [name, select] of Object.entries(selects)) if (select.value) chosen[name] = select.value;
      this.open(this.file, chosen);
    };
    const known = Object.entries(recipes || {}).map(([name, recipe]) => el("li", {}, say(name) + " ← " + recipe.columns.join(" + ")));
    return el("div", { class: "card" }, el("h3", {}, say("map_columns")), lines, el("button", { type: "button", onclick: go }, say("group_file")), el("ul", { class: "plain small" }, known));
  }

  _done(message) {
    const { el, fill } = drgsim;
    const { say, count, yuan, of } = this.app.words;
    const { summary } = message;
    const share = (number) => ((100 * number) / Math.max(1, summary.records)).toFixed(1) + " %";
    const statuses = Object.entries(summary.status).sort((a, b) => b[1] - a[1]);
    const groups = Object.entries(summary.groups).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
    const link = el("a", { class: "download", href: URL.createObjectURL(message.blob), download: this.file.name.replace(/\.\w+$/, "") + "-groups.csv" }, say("download"));
    const list = (title, table) => {
      const rows = Object.entries(table).sort((a, b) => b[1] - a[1]);
      if (!rows.length) return null;
      return el("div", { class: "card" }, el("h3", {}, say(title)), el("ul", { class: "plain" }, rows.map(([code, number]) => el("li", {}, of(this.app.finding(code) || { zh: say("needs_" + code), en: say("needs_" + code) }), " — ", count(number)))));
    };
    fill(
      this.told,
      el("div", { class: "card" },
        el("h3", {}, say("file_done", { count: count(summary.records), seconds: (message.milliseconds / 1000).toFixed(1) })),
        el("p", {}, statuses.map(([status, number]) => say("status_" + status) + " " + count(number) + " (" + share(number) + ")").join(" · "), summary.leftOut ? " · " + say("left_out_rows", { count: count(summary.leftOut) }) : ""),
        summary.paid ? el("p", {}, say("file_money", { count: count(summary.paid), amount: yuan(Math.round(summary.amount)), cost: yuan(Math.round(summary.cost)) })) : null,
        el("p", {}, link), el("p", { class: "small" }, say("recognised", { layout: of(message.layout) }), " ", Object.entries(message.used).map(([name, own]) => say(name) + " ← " + own.slice(0, 3).join(" + ") + (own.length > 3 ? " …" : "")).join("; "))),
      el("div", { class: "card" }, el("h3", {}, say("groups_by_cases")), this._bars(groups.slice(0, 20)), el("p", { class: "small" }, say("groups_in_all", { count: count(groups.length) }))),
      list("reasons", summary.reasons), list("warnings", summary.warnings), list("unpaid", summary.unpaid),
    ); // prettier-ignore
  }

  _bars(groups) {
    const { el } = drgsim;
    const most = groups.length ? groups[0][1] : 1;
    return el("table", { class: "bars" }, el("tbody", {}, groups.map(([key, number]) => {
      const [code, name] = key.split("\t");
      const bar = el("div", { class: "bar" });
      bar.style.width = Math.max(1, (100 * number) / most) + "%";
      return el("tr", {}, el("td", {}, el("span", { class: "code" }, code), " ", name), el("td", { class: "number" }, this.app.words.count(number)), el("td", { class: "bar-cell" }, bar));
    }))); // prettier-ignore
  }
};
