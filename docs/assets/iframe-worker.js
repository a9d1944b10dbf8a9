// Pages that are opened as files may start no worker. The search of the site then runs in a hidden frame in its place.
(() => {
  if (location.protocol !== "file:") return;

  const load = (inside, address) =>
    new Promise((done, failed) => {
      const script = inside.document.createElement("script");
      script.src = address;
      script.onload = () => done();
      script.onerror = () => failed(new Error(`cannot read ${address}`));
      inside.document.head.append(script);
    });

  window.Worker = class extends EventTarget {
    constructor(address) {
      super();
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      document.body.append(this.frame);
      this.inside = this.frame.contentWindow;
      this.inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
      const script = new URL(address, location.href);
      this.inside.importScripts = (...addresses) =>
        addresses.reduce((before, each) => before.then(() => load(this.inside, new URL(each, script).href)), Promise.resolve());
      this.ready = load(this.inside, script.href);
    }

    postMessage(data) {
      this.ready.then(() => this.inside.dispatchEvent(new MessageEvent("message", { data })));
    }

    terminate() {
      this.frame.remove();
    }
  };
})();
