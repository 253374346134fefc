// The section Faces: the saved faces, newest first. A user can change the emotion of each or delete it.

import { request, withQuery } from "../shared/api.js";
import { formatTime } from "../shared/clock.js";
import { confirmAction } from "../shared/confirm-dialog.js";
import { byId, createElement, setOptions } from "../shared/dom.js";
import { emotionClasses } from "../shared/palette.js";
import { showStatus, withStatus } from "../shared/status-message.js";

const PAGE_SIZE = 48;

export class Gallery {
  /** @param {{emotions: () => Promise<string[]>}} choices the emotions that a user can assign */
  constructor(choices) {
    this.choices = choices;
    this.list = byId("gallery");
    this.emotionFilter = byId("gallery-emotion");
    this.status = byId("gallery-status");
    this.moreButton = byId("gallery-more");
    this.emotionFilter.addEventListener("change", () => this.load());
    this.moreButton.addEventListener("click", () => this.loadMore());
  }

  /** Called when the section is shown. */
  async activate() {
    this.labels = await this.choices.emotions();
    setOptions(this.emotionFilter, this.labels, { emptyLabel: "all" });
    await this.load();
  }

  async load() {
    this.list.replaceChildren();
    this.cursor = null;
    await this.loadMore();
  }

  async loadMore() {
    const query = { emotion: this.emotionFilter.value, limit: PAGE_SIZE, before: this.cursor };
    const page = await withStatus(this.status, () => request(withQuery("/api/v1/faces", query)));
    if (!page || query.emotion !== this.emotionFilter.value) return;
    this.list.append(...page.faces.map((face) => this.createItem(face)));
    this.cursor = page.next;
    this.moreButton.hidden = !page.next;
    if (!this.list.children.length) showStatus(this.status, "No saved faces found.");
  }

  createItem(face) {
    const savedAt = formatTime(Date.parse(face.saved));
    const description = `${face.emotion}, ${savedAt}`;
    const select = createElement("select", { class: "for-operators", "aria-label": `Emotion of the saved face (${description})` });
    const labels = this.labels.includes(face.emotion) ? this.labels : [face.emotion, ...this.labels];
    setOptions(select, labels, { selected: face.emotion });
    const item = createElement("li", { class: `saved-face ${emotionClasses(face.emotion, this.labels)}`, "data-name": face.name },
      createElement("img", { src: face.url, alt: `Saved face (${description})`, loading: "lazy", width: "96", height: "96" }),
      select, createElement("p", { class: "for-viewers", text: face.emotion }),
      createElement("p", { class: "small", text: face.labelled ? `predicted: ${face.was}` : `${face.confidence.toFixed(0)}%` }),
      createElement("p", { class: "small", text: savedAt }),
      createElement("button", { type: "button", class: "quiet delete for-operators", "aria-label": `Delete the saved face (${description})`, text: "Delete",
        onclick: () => this.delete(face, item, description) }));
    select.addEventListener("change", () => this.relabel(face, item, select));
    return item;
  }

  async relabel(face, item, select) {
    const json = { emotion: select.value };
    const relabelled = await withStatus(this.status, () => request(face.url, { method: "PATCH", json }));
    if (!relabelled) {
      select.value = face.emotion;
      return;
    }
    const replacement = this.createItem(relabelled);
    item.replaceWith(replacement);
    replacement.querySelector("select").focus();
    showStatus(this.status, `Changed the emotion to ${relabelled.emotion}.`);
  }

  async delete(face, item, description) {
    const isConfirmed = await confirmAction({
      title: "Delete this saved face?", text: `The picture (${description}) is deleted. You cannot undo it.`, action: "Delete",
    });
    if (!isConfirmed) return;
    const isDeleted = await withStatus(this.status, async () => (await request(face.url, { method: "DELETE" }), true));
    if (!isDeleted) return;
    const neighbour = item.nextElementSibling ?? item.previousElementSibling;
    item.remove();
    neighbour?.querySelector(".delete").focus();
    showStatus(this.status, `Deleted ${face.name}.`);
  }
}
