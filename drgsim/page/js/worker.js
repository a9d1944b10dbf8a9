// The worker: keeps the engines of the page and groups files, so that the page stays alive.
"use strict";

drgsim.serve = function (scope) {
  let data = null;
  const made = new Map();
  let stopped = false;

  const partsOf = (id) => {
    if (!made.has(id)) {
      const scheme = data.schemes.find((each) => each.id === id);
      const reader = new drgsim.RecordReader(data.codes, scheme, data.findings);
      const Engine = scheme.unit === "drg" ? drgsim.DrgEngine : drgsim.DipEngine;
      made.set(id, { engine: new Engine(scheme), reader, layouts: new drgsim.Layouts(data.layouts, reader.spelling) });
    }
    return made.get(id);
  };

  const group = async ({ file, scheme, policy, chosen, terms }) => {
    stopped = false;
    const prices = policy ? new drgsim.Prices(data.policies.find((each) => each.id === policy)) : null;
    const batch = new drgsim.Batch({ ...partsOf(scheme), prices }, chosen, terms);
    batch.csv = !/\.xls[xm]$/i.test(file.name);
    const started = Date.now();
    try {
      const about = await drgsim.readTable(file, async (rows, share) => {
        if (stopped) throw new drgsim.FileError("file-stopped");
        batch.take(rows);
        scope.postMessage({ kind: "progress", share, records: batch.summary.records });
        await new Promise((resolve) => setTimeout(resolve)); // lets a word to stop come in
      }, (cells) => batch.layouts.score(cells));
      const summary = batch.finish();
      const used = Object.fromEntries(Object.entries(batch.reading.recipes).map(([name, recipe]) => [name, recipe.columns]));
      const blob = new Blob(batch.out, { type: "text/csv" });
      scope.postMessage({ kind: "done", summary, about, used, layout: batch.reading.layout, blob, milliseconds: Date.now() - started });
    } catch (error) {
      if (!(error instanceof drgsim.FileError)) {
        scope.postMessage({ kind: "failed", code: "page-fault", detail: String(error && error.message) });
        return;
      }
      const { code, detail, names, missing, recipes } = error;
      scope.postMessage({ kind: "failed", code, detail, names, missing, recipes });
    }
  };

  scope.onmessage = (event) => {
    const message = event.data;
    if (message.kind === "data") data = message.data;
    else if (message.kind === "group") group(message);
    else if (message.kind === "stop") stopped = true;
  };
};
