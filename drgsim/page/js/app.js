// The page: scheme, policy, language, and its three rooms.
"use strict";

drgsim.App = class {
  constructor(data, scripts) {
    this.data = data;
    this.scripts = scripts;
    this.words = drgsim.words(data);
    this.scheme = data.schemes[0].id;
    this._parts = new Map();
    this._search = new Map();
    this._findings = new Map(data.findings.map((finding) => [finding.code, finding]));
    this.room = "case";
    this._build();
    this.show();
  }

  parts() {
    if (!this._parts.has(this.scheme)) {
      const scheme = this.data.schemes.find((each) => each.id === this.scheme);
      const reader = new drgsim.RecordReader(this.data.codes, scheme, this.data.findings);
      const Engine = scheme.unit === "drg" ? drgsim.DrgEngine : drgsim.DipEngine;
      this._parts.set(this.scheme, { engine: new Engine(scheme), reader });
    }
    return this._parts.get(this.scheme);
  }

  search(side) {
    const key = this.scheme + side;
    if (!this._search.has(key)) this._search.set(key, new drgsim.CodeSearch(this.parts().reader[side], this.data.codes.initials));
    return this._search.get(key);
  }

  finding(code) {
    return this._findings.get(code);
  }

  prices() {
    const id = this.policy.value;
    if (!id) return null;
    if (!this._prices || this._prices.data.id !== id) this._prices = new drgsim.Prices(this.data.policies.find((each) => each.id === id));
    return this._prices;
  }

  terms() {
    const plain = (input) => (/^\s*\d+(?:\.\d+)?\s*$/.test(input.value) && Number(input.value) > 0 ? input.value.trim() : undefined);
    return { level: this.level.value, insurance: this.insurance.value, k: plain(this.k), unitValue: plain(this.unitValue) };
  }

  worker() {
    const source = this.scripts + "\ndrgsim.serve(self);";
    const worker = new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
    worker.postMessage({ kind: "data", data: this.data });
    return worker;
  }

  _build() {
    const { el } = drgsim;
    const change = () => this.show();
    this.schemes = el("select", { id: "scheme", onchange: () => { this.scheme = this.schemes.value; this._policies(); this.show(); } }, this.data.schemes.map((each) => el("option", { value: each.id }))); // prettier-ignore
    this.policy = el("select", { id: "policy", onchange: () => { this._terms(); this.show(); } }); // prettier-ignore
    this.level = el("select", { id: "level", onchange: change });
    this.insurance = el("select", { id: "insurance", onchange: change });
    this.k = el("input", { id: "k", type: "text", inputmode: "decimal", oninput: change });
    this.unitValue = el("input", { id: "unit-value", type: "text", inputmode: "decimal", oninput: change });
    this.language = el("button", { type: "button", id: "language", onclick: () => { this.words.language = this.words.language === "zh" ? "en" : "zh"; this.show(); } }); // prettier-ignore
    const field = (input) => el("span", { class: "choice" }, el("label", { for: input.id }), input);
    this.choices = [this.schemes, this.policy, this.level, this.insurance, this.k, this.unitValue].map(field);
    this.title = el("h1", {});
    this.tabs = ["case", "file", "about"].map((name) =>
      el("button", { type: "button", role: "tab", id: "tab-" + name, "aria-controls": "room-" + name, onclick: () => { this.room = name; this.show(); }, onkeydown: (event) => this._arrow(event, name) })); // prettier-ignore
    this.answer = new drgsim.CaseAnswer(this);
    this.form = new drgsim.CaseForm(this, () => this.answer.show(this.form.record));
    this.files = new drgsim.FileRoom(this);
    this.about = el("div", {});
    const room = (name, ...content) => el("section", { id: "room-" + name, class: "room", role: "tabpanel", "aria-labelledby": "tab-" + name }, ...content);
    this.rooms = { case: room("case", el("div", { class: "two" }, this.form.element, this.answer.element)), file: room("file", this.files.element), about: room("about", this.about) };
    this.foot = el("footer", {});
    document.body.append(
      el("header", {}, el("div", { class: "top" }, this.title, this.language), el("div", { class: "choices" }, this.choices), el("nav", { role: "tablist" }, this.tabs)),
      el("main", {}, Object.values(this.rooms)), this.foot,
    ); // prettier-ignore
    this._policies();
  }

  _arrow(event, name) {
    const move = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!move) return;
    const names = ["case", "file", "about"];
    this.room = names[(names.indexOf(name) + move + 3) % 3];
    this.show();
    document.getElementById("tab-" + this.room).focus();
  }

  _policies() {
    const { el, fill } = drgsim;
    const fitting = this.data.policies.filter((each) => each.schemes.includes(this.scheme));
    fill(this.policy, fitting.map((each) => el("option", { value: each.id }, each.id)), el("option", { value: "" }, "—"));
    this._terms();
  }

  _terms() {
    const { el, fill } = drgsim;
    const data = this.prices() && this.prices().data;
    fill(this.level, (data ? data.levels : [""]).map((value) => el("option", { value })));
    fill(this.insurance, (data ? data.insurances : ["employee"]).map((value) => el("option", { value })));
    if (data && data.levels.includes("3")) this.level.value = "3";
    const open = (name) => data && data.entries.some((entry) => entry.row !== undefined && !entry[name] && !(name === "unit_value" && entry.published));
    this.asks = { k: Boolean(open("k")), unitValue: Boolean(open("unit_value")) };
  }

  show() {
    const { say, of } = this.words;
    document.documentElement.lang = this.words.language === "zh" ? "zh-CN" : "en";
    document.title = this.title.textContent = say("title");
    this.language.textContent = this.words.language === "zh" ? "English" : "中文";
    const labels = ["scheme", "policy", "level", "insurance", "coefficient", "unit_value"];
    this.choices.forEach((choice, place) => (choice.querySelector("label").textContent = say(labels[place])));
    const priced = Boolean(this.policy.value);
    [true, this.data.policies.length > 0, priced, priced, priced && this.asks.k, priced && this.asks.unitValue].forEach((there, place) => (this.choices[place].hidden = !there));
    [...this.schemes.options].forEach((option, place) => (option.textContent = this.data.schemes[place].id + " " + of(this.data.schemes[place].title)));
    [...this.policy.options].forEach((option) => (option.textContent = option.value ? option.value + " " + of(this.data.policies.find((each) => each.id === option.value).title) : say("no_policy")));
    [...this.level.options].forEach((option) => (option.textContent = option.value ? (this.data.words["level_" + option.value] ? say("level_" + option.value) : option.value) : say("not_stated")));
    [...this.insurance.options].forEach((option) => (option.textContent = say("insurance_" + option.value)));
    this.tabs.forEach((tab, place) => {
      const name = ["case", "file", "about"][place];
      tab.textContent = say("room_" + name);
      tab.setAttribute("aria-selected", String(this.room === name));
      tab.tabIndex = this.room === name ? 0 : -1;
      this.rooms[name].hidden = this.room !== name;
    });
    this.form.show();
    this.answer.show(this.form.record);
    this.files.show();
    this._about();
    const scheme = this.data.schemes.find((each) => each.id === this.scheme);
    this.foot.textContent = [`drgsim ${this.data.version}`, `${scheme.id} ${scheme.digest.slice(0, 16)}`, this.policy.value && `${this.policy.value} ${this.prices().data.digest.slice(0, 16)}`, say("stays_here")].filter(Boolean).join(" · ");
  }

  _about() {
    const { el, fill } = drgsim;
    const { say, of } = this.words;
    const scheme = this.data.schemes.find((each) => each.id === this.scheme);
    const list = (items) => el("ul", {}, items.map((item) => el("li", {}, item)));
    const prices = this.prices();
    const facts = [[say("scheme"), `${scheme.id} ${of(scheme.title)}`], [say("digest"), scheme.digest]];
    if (prices) facts.push([say("policy"), `${prices.data.id} ${of(prices.data.title)}`], [say("digest"), prices.data.digest]);
    facts.push([say("made_with"), `drgsim ${this.data.version}`]);
    fill(
      this.about,
      el("div", { class: "card" }, el("h3", {}, say("about_page")), el("p", {}, say("about_text")), el("dl", { class: "money" }, facts.map(([term, value]) => [el("dt", {}, term), el("dd", {}, value)]))),
      prices ? el("div", { class: "card" }, el("h3", {}, say("not_followed")), prices.data.left_out.length ? list(prices.data.left_out.map(of)) : el("p", {}, say("all_followed")), el("p", { class: "small" }, say("before_sharing"))) : null,
      prices && prices.data.assumptions.length ? el("details", { class: "card" }, el("summary", {}, say("assumptions", { count: prices.data.assumptions.length })), list(prices.data.assumptions)) : null,
      scheme.notes.length ? el("details", { class: "card" }, el("summary", {}, say("notes_of_scheme")), list(scheme.notes)) : null,
    ); // prettier-ignore
  }
};
