// One case: the form with its two lists of codes, and what is typed as a record.
"use strict";

drgsim.CodeField = class {
  // side: diagnoses or procedures; changed: called when the list is another one
  constructor(app, side, changed) {
    this.app = app;
    this.side = side;
    this.changed = changed;
    this.codes = []; // folded spellings, the principal one first
    const { el } = drgsim;
    this.input = el("input", {
      type: "text", autocomplete: "off", spellcheck: "false", role: "combobox", "aria-expanded": "false", id: side + "-input",
      oninput: () => this._suggest(), onkeydown: (event) => this._key(event), onblur: () => setTimeout(() => this._close(), 150),
      onpaste: (event) => this._paste(event),
    }); // prettier-ignore
    this.menu = el("ul", { class: "menu", role: "listbox", hidden: true });
    this.list = el("ol", { class: "codes" });
    this.element = el("div", { class: "field" }, el("label", { for: side + "-input" }), this.input, this.menu, this.list);
    this.active = -1;
  }

  get book() {
    return this.app.parts().reader[this.side];
  }

  show() {
    const { say } = this.app.words;
    this.element.querySelector("label").textContent = say(this.side);
    this.input.placeholder = say("search_hint");
    const book = this.book;
    drgsim.fill(
      this.list,
      this.codes.map((code, place) => {
        const id = book.find(code);
        const grey = id >= 0 && book.grey.has(id);
        return drgsim.el(
          "li", { class: id < 0 ? "unknown" : grey ? "grey" : "" },
          drgsim.el("span", { class: "code" }, id >= 0 ? book.codes[id] : code),
          drgsim.el("span", { class: "name" }, id >= 0 ? book.names[id] : say("unknown_code"), grey ? " " + say("grey_code") : ""),
          place === 0 ? drgsim.el("span", { class: "tag" }, say("principal")) : this._button("↑", say("make_principal"), () => this._first(place)),
          this._button("×", say("remove"), () => this._remove(place)),
        ); // prettier-ignore
      }),
    );
  }

  _button(sign, title, onclick) {
    return drgsim.el("button", { type: "button", title, "aria-label": title, onclick }, sign);
  }

  set(codes) {
    this.codes = codes;
    this.show();
  }

  add(text) {
    const read = this.book.spelling.split(text).filter((code) => code);
    this.codes.push(...read.filter((code) => !this.codes.includes(code)));
    this.input.value = "";
    this._close();
    this.show();
    this.changed();
  }

  _first(place) {
    this.codes.unshift(...this.codes.splice(place, 1));
    this.show();
    this.changed();
  }

  _remove(place) {
    this.codes.splice(place, 1);
    this.show();
    this.changed();
  }

  _paste(event) {
    const text = (event.clipboardData || window.clipboardData).getData("text");
    if (!/[|;,、\n]/.test(text)) return;
    event.preventDefault();
    this.add(text);
  }

  _suggest() {
    const { list } = { list: this.book };
    const found = this.app.search(this.side).find(this.input.value, 30);
    this.found = found;
    this.active = -1;
    drgsim.fill(
      this.menu,
      found.map((id, place) =>
        drgsim.el(
          "li", { role: "option", id: this.side + "-" + place, onmousedown: () => this.add(list.codes[id]) },
          drgsim.el("span", { class: "code" }, list.codes[id]), drgsim.el("span", { class: "name" }, list.names[id]),
        ),
      ), // prettier-ignore
    );
    this.menu.hidden = !found.length;
    this.input.setAttribute("aria-expanded", String(found.length > 0));
  }

  _close() {
    this.menu.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
  }

  _key(event) {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move && !this.menu.hidden) {
      event.preventDefault();
      const items = this.menu.children;
      if (this.active >= 0) items[this.active].classList.remove("active");
      this.active = (this.active + move + items.length) % items.length;
      items[this.active].classList.add("active");
      items[this.active].scrollIntoView({ block: "nearest" });
      this.input.setAttribute("aria-activedescendant", items[this.active].id);
    } else if (event.key === "Enter" && this.input.value.trim()) {
      event.preventDefault();
      const id = !this.menu.hidden && this.active >= 0 ? this.found[this.active] : this._exact();
      this.add(id >= 0 ? this.book.codes[id] : this.input.value);
    } else if (event.key === "Escape") this._close();
    else if (event.key === "Backspace" && !this.input.value && this.codes.length) this._remove(this.codes.length - 1);
  }

  // Typed in full, or a search with one answer.
  _exact() {
    const id = this.book.find(this.book.spelling.split(this.input.value)[0] || "");
    if (id >= 0) return id;
    return this.found && this.found.length && !/[|;,、]/.test(this.input.value) ? this.found[0] : -1;
  }
};

drgsim.FIELDS = ["sex", "age", "age_days", "birth_weight_g", "los_days", "icu_hours", "discharge_way", "admission_department", "total_cost"];

drgsim.CaseForm = class {
  constructor(app, changed) {
    this.app = app;
    this.changed = changed;
    this.diagnoses = new drgsim.CodeField(app, "diagnoses", changed);
    this.procedures = new drgsim.CodeField(app, "procedures", changed);
    this.fields = {};
    const { el } = drgsim;
    for (const name of drgsim.FIELDS) {
      const attributes = { id: "field-" + name, oninput: changed, onchange: changed };
      this.fields[name] =
        name === "sex"
          ? el("select", attributes, ["", "1", "2"].map((value) => el("option", { value })))
          : el("input", { ...attributes, type: "text", inputmode: name === "admission_department" ? "text" : "decimal", autocomplete: "off" });
    }
    this.grid = el("div", { class: "grid" }, drgsim.FIELDS.map((name) => el("div", { class: "field" }, el("label", { for: "field-" + name }), this.fields[name])));
    this.example = el("button", { type: "button", class: "quiet", onclick: () => this.set(this.app.data.example) });
    this.clear = el("button", { type: "button", class: "quiet", onclick: () => this.set({}) });
    this.element = el("form", { onsubmit: (event) => event.preventDefault() }, this.diagnoses.element, this.procedures.element, this.grid, el("p", { class: "actions" }, this.example, this.clear));
  }

  show() {
    const { say } = this.app.words;
    this.diagnoses.show();
    this.procedures.show();
    for (const name of drgsim.FIELDS) this.grid.querySelector(`label[for=field-${name}]`).textContent = say(name);
    const options = this.fields.sex.options;
    options[0].textContent = say("not_stated");
    options[1].textContent = say("male");
    options[2].textContent = say("female");
    this.example.textContent = say("example");
    this.clear.textContent = say("clear");
  }

  set(record) {
    for (const name of drgsim.FIELDS) this.fields[name].value = record[name] || "";
    const split = (text) => this.diagnoses.book.spelling.split(text || "").filter((code) => code);
    this.diagnoses.set(split(record.diagnoses));
    this.procedures.set(split(record.procedures));
    this.changed();
  }

  get record() {
    const record = { diagnoses: this.diagnoses.codes.join("|"), procedures: this.procedures.codes.join("|") };
    for (const name of drgsim.FIELDS) record[name] = this.fields[name].value;
    return record;
  }
};
