// What everybody may switch: whether faces are saved, and how they are shown in the video. The gateways remember it.

import { ask } from "../shared/api.js";
import { element, write } from "../shared/dom.js";

const VEILS = { off: "visible", blur: "blurred", mask: "masked" };
const SHOWN_MS = 2500; // what was switched here may take a moment to come back in the figures

export class Switches {
  /** @param {HTMLButtonElement} saving @param {HTMLSelectElement} blur @param {HTMLElement} line for what goes wrong */
  constructor(saving, blur, line) {
    Object.assign(this, { saving, blur, line, changed: -Infinity });
    blur.replaceChildren(...Object.entries(VEILS).map(([value, words]) => new Option(words, value)));
    saving.addEventListener("click", () => this.change({ saving: saving.getAttribute("aria-checked") !== "true" }));
    blur.addEventListener("change", () => this.change({ blur: blur.value }));
  }

  /** As the figures tell it, about once a second. */
  show({ settings, saving }) {
    if (performance.now() - this.changed > SHOWN_MS) this.put(settings);
    this.saving.dataset.state = saving.paused ? "paused" : "";
    this.saving.title = saving.paused ? `Paused: ${saving.paused}` : "About one picture of each face a second";
    const words = settings.saving ? "Faces are being saved, about one a second of each." : "Faces are not being saved.";
    write(element("saving-words"), saving.paused ? `Saving faces is paused: ${saving.paused}.` : words);
  }

  put({ saving, blur }) {
    this.saving.disabled = this.blur.disabled = false;
    this.saving.setAttribute("aria-checked", String(saving));
    if (document.activeElement !== this.blur || this.blur.value !== blur) this.blur.value = blur;
  }

  async change(wanted) {
    this.changed = performance.now();
    try {
      this.put(await ask("/api/v1/settings", { method: "PATCH", json: wanted }));
      write(this.line, "");
    } catch (error) {
      this.changed = -Infinity; // the next figures put the switch back
      write(this.line, error.message);
    }
  }
}
