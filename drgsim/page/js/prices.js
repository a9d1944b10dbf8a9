// What a policy pays a case: the entries of drgsim/page/page_prices.py, walked with exact fractions (drgsim/payment/curve.py).
"use strict";

drgsim.fraction = function (text) {
  const [numerator, denominator] = text.split("/");
  return [BigInt(numerator), BigInt(denominator)];
};

drgsim.Prices = class {
  constructor(data) {
    this.data = data;
    this._kept = new Map();
    this.curves = data.curves.map((curve) => ({
      withK: curve.with_k,
      pieces: curve.pieces.map((piece) => ({
        ...piece,
        upper: piece.upper === null ? null : drgsim.fraction(piece.upper),
        terms: piece.terms && piece.terms.map(drgsim.fraction),
        cap: piece.cap && piece.cap.map(drgsim.fraction),
      })),
    }));
  }

  _entry(group, level, insurance) {
    const { groups, entries, levels, insurances } = this.data;
    const own = groups[group];
    if (own === undefined) return { refused: "no_value" };
    const place = levels.indexOf(level || "") * insurances.length + insurances.indexOf(insurance || "employee");
    return entries[typeof own === "number" ? own : own[place]];
  }

  // asked: group, cost (fen), days, age, level, insurance; k and unitValue (decimal texts) where the policy leaves them open.
  // {amount, standard (fen), ratio, class, rule, relative_value, k} or {refused}
  price(asked) {
    const entry = this._entry(asked.group, asked.level, asked.insurance);
    const cost = asked.cost === undefined || asked.cost === null ? null : BigInt(asked.cost);
    const byItem = entry.pays || entry.refused === "per_diem" ? "" : this._byDays(asked.days);
    if (byItem && cost !== null && entry.row === undefined) return { amount: cost, class: byItem, rule: byItem };
    if (entry.refused !== undefined) return entry;
    if (entry.pays === "fixed") return { amount: BigInt(entry.fen), class: entry.class, rule: entry.rule };
    if (entry.pays === "share") {
      if (cost === null) return { needs: "cost", class: entry.class, rule: entry.rule };
      const amount = drgsim.roundHalfAway(drgsim.times(drgsim.fraction(entry.share), [cost, 1n]));
      return { amount, class: entry.class, rule: entry.rule };
    }
    const terms = this._terms(entry, asked);
    if (terms.needs) return byItem && cost !== null ? { amount: cost, class: byItem, rule: byItem } : terms;
    const base = { standard: terms.standard, relative_value: entry.value, k: terms.kText };
    if (cost === null) return { ...base, needs: "cost" };
    if (byItem) return { ...base, amount: cost, class: byItem, rule: byItem };
    return { ...base, ...this._byCurve(this.curves[entry.row], terms, cost) };
  }

  _byDays(days) {
    const { long_days: long, short_days: short } = this.data;
    if (days === undefined || days === null || Number.isNaN(days)) return "";
    if (long !== null && days > Number(long)) return "over_60_days";
    return short !== null && days <= Number(short) ? "by_item" : "";
  }

  // Terms of an entry are the same for most cases: they are worked out once.
  _terms(entry, asked) {
    const factor = this._factor(Number(entry.factor), asked.age);
    const key = [asked.k, asked.unitValue, factor].join("/");
    if (!this._kept.has(entry)) this._kept.set(entry, new Map());
    const kept = this._kept.get(entry);
    if (!kept.has(key)) kept.set(key, this._newTerms(entry, asked, factor));
    return kept.get(key);
  }

  _newTerms(entry, asked, factorNumber) {
    const kText = asked.k || entry.k;
    if (!kText) return { needs: "k" };
    const k = drgsim.ratio(kText);
    const value = drgsim.ratio(entry.value);
    const auxiliary = drgsim.ratio(entry.auxiliary);
    const unitText = entry.unit_value || asked.unitValue;
    const published = entry.published && drgsim.ratio(entry.published);
    if (!published && !unitText) return { needs: "unit_value" };
    const unit = published ? drgsim.over(published, drgsim.times(value, k)) : drgsim.ratio(unitText);
    const one = published ? drgsim.times(published, auxiliary) : drgsim.times(drgsim.times(value, k), drgsim.times(unit, auxiliary));
    let mean;
    if (entry.mean !== undefined) mean = drgsim.ratio(entry.mean);
    else if (entry.per_weight !== undefined)
      mean = drgsim.over(drgsim.times(drgsim.ratio(entry.per_weight), value), drgsim.ratio(entry.scale));
    else mean = drgsim.times(drgsim.times(unit, value), auxiliary);
    const factor = drgsim.ratio(String(factorNumber));
    const standard = drgsim.roundHalfAway(drgsim.times(one, [100n, 1n]));
    return { k, kText, value, unit, mean, factor, standard };
  }

  _factor(factor, age) {
    if (age === undefined || age === null || Number.isNaN(age)) return factor;
    for (const [below, times] of this.data.ages) if (age < Number(below)) factor *= Number(times);
    return factor;
  }

  _byCurve(curve, terms, cost) {
    const { k, mean, value, factor, unit } = terms;
    const x = drgsim.over([cost, 100n], mean);
    const ratio = curve.withK ? drgsim.over(x, k) : x;
    const piece = curve.pieces.find((each) => {
      if (each.upper === null) return true;
      const side = drgsim.compared(ratio, each.upper);
      return side < 0 || (each.closed && side === 0);
    });
    const found = { ratio: drgsim.asNumber(ratio), class: piece.class, rule: piece.rule };
    if (piece.terms === null) return { ...found, amount: cost };
    let share = drgsim.polynomial(piece.terms, x, k);
    if (share[0] < 0n) share = [0n, 1n];
    if (piece.cap) {
      const cap = drgsim.polynomial(piece.cap, x, k);
      if (drgsim.compared(cap, share) < 0) share = cap;
    }
    const units = drgsim.times(drgsim.times(value, share), factor);
    return { ...found, amount: drgsim.roundHalfAway(drgsim.times(drgsim.times(units, unit), [100n, 1n])) };
  }
};

// Terms of the powers (0,-1) (0,0) (0,1) (1,-1) (1,0) (1,1) of x and k.
drgsim.polynomial = function (terms, x, k) {
  const one = [1n, 1n];
  const powers = [drgsim.over(one, k), one, k];
  let sum = [0n, 1n];
  terms.forEach((term, place) => {
    if (term[0] === 0n) return;
    const times = drgsim.times(place < 3 ? one : x, powers[place % 3]);
    sum = drgsim.plus(sum, drgsim.times(term, times));
  });
  return sum;
};
