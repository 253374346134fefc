// The section Faces: what was saved, newest first; each can be given another emotion, or be deleted.

import { address, ask } from "../shared/api.js";
import { clockTime } from "../shared/clock.js";
import { element, make, offer } from "../shared/dom.js";
import { paint } from "../shared/palette.js";
import { say, saying } from "../shared/status-message.js";

const PAGE = 48;
const SURE_MS = 3000; // a second click within this time deletes

export class Gallery {
  /** @param {{labels: () => Promise<string[]>}} known emotions that may be given */
  constructor(known) {
    this.known = known;
    this.list = element("gallery");
    this.emotion = element("gallery-emotion");
    this.line = element("gallery-line");
    this.more = element("gallery-more");
    this.emotion.addEventListener("change", () => this.load());
    this.more.addEventListener("click", () => this.add());
  }

  /** The section is shown. */
  async enter() {
    this.labels = await this.known.labels();
    offer(this.emotion, this.labels, { first: "all" });
    await this.load();
  }

  async load() {
    this.list.replaceChildren();
    this.next = null;
    await this.add();
  }

  async add() {
    const asked = { emotion: this.emotion.value, limit: PAGE, before: this.next };
    const page = await saying(this.line, () => ask(address("/api/v1/faces", asked)));
    if (!page || asked.emotion !== this.emotion.value) return;
    this.list.append(...page.faces.map((face) => this.item(face)));
    this.next = page.next;
    this.more.hidden = !page.next;
    if (!this.list.children.length) say(this.line, "No face is saved here.");
  }

  item(face) {
    const named = `${face.emotion} of ${clockTime(Date.parse(face.saved))}`;
    const choice = make("select", { "aria-label": `Emotion of the face saved as ${named}` });
    const others = this.labels.includes(face.emotion) ? this.labels : [face.emotion, ...this.labels];
    offer(choice, others, { chosen: face.emotion });
    const item = make("li", { class: `saved-face ${paint(face.emotion, this.labels)}`, "data-name": face.name },
      make("img", { src: face.url, alt: `Face saved as ${named}`, loading: "lazy", width: "96", height: "96" }),
      choice,
      make("p", { class: "small", text: face.labelled ? `was ${face.was}` : `${face.confidence.toFixed(0)}%` }),
      make("p", { class: "small", text: clockTime(Date.parse(face.saved)) }),
      make("button", { type: "button", class: "delete", "aria-label": `Delete the face saved as ${named}`, text: "Delete",
        onclick: ({ currentTarget }) => this.delete(face, item, currentTarget) }));
    choice.addEventListener("change", () => this.relabel(face, item, choice));
    return item;
  }

  async relabel(face, item, choice) {
    const now = await saying(this.line, () => ask(face.url, { method: "PATCH", json: { emotion: choice.value } }));
    if (!now) {
      choice.value = face.emotion;
      return;
    }
    const renamed = this.item(now);
    item.replaceWith(renamed);
    renamed.querySelector("select").focus();
    say(this.line, `Now saved as ${now.emotion}.`);
  }

  async delete(face, item, button) {
    if (button.dataset.sure !== "true") {
      button.dataset.sure = "true";
      button.textContent = "Really?";
      setTimeout(() => {
        delete button.dataset.sure;
        button.textContent = "Delete";
      }, SURE_MS);
      return;
    }
    const done = await saying(this.line, async () => (await ask(face.url, { method: "DELETE" }), true));
    if (!done) return;
    const neighbour = item.nextElementSibling ?? item.previousElementSibling;
    item.remove();
    neighbour?.querySelector(".delete").focus();
    say(this.line, `Deleted ${face.name}.`);
  }
}
