// What is captured: each source with its state; those that were added here can be removed here.

import { ask } from "../shared/api.js";
import { element, make } from "../shared/dom.js";
import { say, saying } from "../shared/status-message.js";

export class Sources {
  constructor() {
    this.list = element("sources");
    this.line = element("sources-line");
    element("add").addEventListener("submit", (event) => {
      event.preventDefault();
      this.add(event.target);
    });
  }

  /** How the sources are now. */
  async look() {
    const known = await ask("/api/v1/sources").catch(() => null); // the page says already that it cannot be reached
    if (!known) return;
    const told = JSON.stringify(known.sources.map(({ name, state, reason, address, removable }) => [name, state, reason, address, removable]));
    if (told === this.told) return; // the button under somebody's finger stays the same
    this.told = told;
    this.list.replaceChildren(...known.sources.filter(({ kind }) => kind !== "inbox").map((source) => this.item(source)));
    if (!this.list.children.length) this.list.append(make("li", { class: "small", text: "None yet." }));
  }

  item({ name, kind, address, state, reason, removable }) {
    const words = [state.toLowerCase(), state === "ONLINE" ? "" : reason].filter(Boolean).join(" · ");
    return make("li", { "data-source": name },
      make("div", {},
        make("p", {}, make("strong", { text: name }), make("span", { class: "state", "data-state": state, text: words })),
        make("p", { class: "small", text: kind === "job" ? `${address} (a recording)` : address })),
      removable ? make("button", { type: "button", class: "quiet", text: "Remove", "aria-label": `Remove ${name}`, onclick: () => this.remove(name) }) : null);
  }

  async add(form) {
    const { name, address, loop } = form.elements;
    const wanted = { name: name.value.trim(), address: address.value.trim(), loop: loop.checked };
    const added = await saying(this.line, () => ask("/api/v1/sources", { method: "POST", json: wanted }));
    if (!added) return;
    form.reset();
    say(this.line, `${added.name} is added.`);
    await this.look();
  }

  async remove(name) {
    const path = `/api/v1/sources/${encodeURIComponent(name)}`;
    const done = await saying(this.line, async () => (await ask(path, { method: "DELETE" }), true));
    if (!done) return;
    say(this.line, `${name} is removed.`);
    await this.look();
  }
}
