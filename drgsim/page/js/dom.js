// Small helpers to make elements; texts are always texts, never HTML.
"use strict";

drgsim.el = function (tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat(3)) if (child !== null && child !== undefined && child !== false) element.append(child);
  return element;
};

drgsim.fill = function (element, ...children) {
  element.textContent = "";
  element.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
};

drgsim.words = function (data) {
  const words = {
    language: data.language,
    say(key, values) {
      let text = (data.words[key] || {})[words.language] || key;
      for (const [name, value] of Object.entries(values || {})) text = text.split("{" + name + "}").join(String(value));
      return text;
    },
    of(entry) {
      return entry[words.language] || entry.zh || entry.en || "";
    },
    count(number) {
      return String(Math.round(number)).replace(/\B(?=(\d{3})+$)/g, ",");
    },
    yuan(fen) {
      const [whole, part] = drgsim.yuan(fen).split(".");
      return whole.replace(/\B(?=(\d{3})+$)/g, ",") + "." + part;
    },
  };
  return words;
};
