// Finds codes by their beginning, by words of their Chinese name, or by the first letters of its reading in pinyin.
"use strict";

drgsim.CodeSearch = class {
  constructor(list, initials) {
    this.list = list;
    this.letters = new Map();
    for (const [letter, signs] of Object.entries(initials)) for (const sign of signs) this.letters.set(sign, letter);
    this.folded = [...list.codes].map((code) => list.spelling.fold(code));
  }

  get initials() {
    if (!this._initials) {
      this._initials = this.list.names.map((name) => {
        let text = "";
        for (const sign of name) text += this.letters.get(sign) || (/[a-z0-9]/i.test(sign) ? sign.toLowerCase() : "");
        return text;
      });
    }
    return this._initials;
  }

  // Ids of the best fitting codes: those that begin with the text first, then names, then initials.
  find(text, most) {
    const folded = this.list.spelling.fold(text);
    if (!folded) return [];
    const words = text.trim().split(/\s+/);
    const letters = /^[A-Za-z]+$/.test(text.trim()) ? text.trim().toLowerCase() : "";
    const ranked = [[], [], [], [], []];
    for (let id = 0; id < this.folded.length; id++) {
      const name = this.list.names[id];
      let rank = -1;
      if (this.folded[id].startsWith(folded)) rank = 0;
      else if (name.startsWith(words[0])) rank = 1;
      else if (words.every((word) => name.includes(word))) rank = 2;
      else if (letters.length > 1) {
        const place = this.initials[id].indexOf(letters);
        rank = place === 0 ? 3 : place > 0 ? 4 : -1;
      }
      if (rank >= 0 && ranked[rank].length < most) ranked[rank].push(id);
    }
    const byLength = (a, b) => this.list.names[a].length - this.list.names[b].length;
    return [].concat(ranked[0], ranked[1].sort(byLength), ranked[2].sort(byLength), ranked[3].sort(byLength), ranked[4].sort(byLength)).slice(0, most);
  }
};
