// The list of sources with the state of each, and the form that adds a source. Only added sources can be removed.

import { request } from "../shared/api.js";
import { confirmAction } from "../shared/confirm-dialog.js";
import { byId, createElement, setText } from "../shared/dom.js";
import { showStatus, withStatus } from "../shared/status-message.js";

const SETTING_LINE = /EMOTII_[A-Z_]+=\S*[^\s.,;)]/; // in an error message: the line that would allow the source

export class SourceList {
  constructor() {
    this.list = byId("sources");
    this.status = byId("sources-status");
    this.addStatus = byId("add-status");
    byId("add-source").addEventListener("submit", (event) => {
      event.preventDefault();
      this.add(event.target);
    });
  }

  async refresh() {
    const response = await request("/api/v1/sources").catch(() => null); // the connection status already shows an outage
    if (!response) return;
    const { sources } = response;
    const content = JSON.stringify(sources.map(({ name, state, reason, warning, address, removable }) => [name, state, reason, warning, address, removable]));
    if (content === this.shownContent) return; // do not replace a button that the user is about to click
    this.shownContent = content;
    this.list.replaceChildren(...sources.filter(({ kind }) => kind !== "inbox").map((source) => this.createItem(source)));
    if (!this.list.children.length) this.list.append(createElement("li", { class: "small", text: "No sources." }));
  }

  createItem({ name, kind, address, state, reason, warning, removable }) {
    const stateText = [state.toLowerCase(), state === "ONLINE" ? warning : reason].filter(Boolean).join(" · ");
    return createElement("li", { "data-source": name },
      createElement("div", {},
        createElement("p", {}, createElement("strong", { text: name }), createElement("span", { class: "state", "data-state": state === "ONLINE" && warning ? "SLOW" : state, text: stateText })),
        createElement("p", { class: "small", text: kind === "job" ? `${address} (recording)` : address })),
      removable ? createElement("button", { type: "button", class: "quiet for-operators", text: "Remove", "aria-label": `Remove ${name}`, onclick: () => this.remove(name) }) : null);
  }

  async add(form) {
    const { name, address, loop } = form.elements;
    const json = { name: name.value.trim(), address: address.value.trim(), loop: loop.checked };
    const added = await withStatus(this.addStatus, () => request("/api/v1/sources", { method: "POST", json }));
    const [setting] = (added ? null : this.addStatus.textContent.match(SETTING_LINE)) ?? [""];
    setText(byId("add-setting"), setting);
    if (!added) return;
    form.reset();
    showStatus(this.addStatus, `Added ${added.name}.`);
    await this.refresh();
  }

  async remove(name) {
    const isConfirmed = await confirmAction({
      title: `Remove ${name}?`, text: `Emotii no longer captures ${name}. Its history and saved faces stay.`, action: `Remove ${name}`,
    });
    if (!isConfirmed) return;
    const path = `/api/v1/sources/${encodeURIComponent(name)}`;
    const isRemoved = await withStatus(this.status, async () => (await request(path, { method: "DELETE" }), true));
    if (!isRemoved) return;
    showStatus(this.status, `Removed ${name}.`);
    await this.refresh();
  }
}
