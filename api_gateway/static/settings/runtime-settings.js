// Settings that apply to all gateways at once: whether faces are saved, and how the video shows faces.

import { request } from "../shared/api.js";
import { byId, setText } from "../shared/dom.js";

const FACE_MODES = { off: "visible", blur: "blurred", mask: "masked" };
const SETTLE_MS = 2500; // stats events may report the previous settings for this long after a change

export class RuntimeSettings {
  /** @param {HTMLButtonElement} saving @param {HTMLSelectElement} blur @param {HTMLElement} status for error messages */
  constructor(saving, blur, status) {
    Object.assign(this, { saving, blur, status, changedAt: -Infinity });
    blur.replaceChildren(...Object.entries(FACE_MODES).map(([value, text]) => new Option(text, value)));
    saving.addEventListener("click", () => this.change({ saving: saving.getAttribute("aria-checked") !== "true" }));
    blur.addEventListener("change", () => this.change({ blur: blur.value }));
  }

  /** Show the settings of a `stats` event. */
  update({ settings, saving, restored }) {
    this.allowed = settings;
    if (performance.now() - this.changedAt > SETTLE_MS) this.show(settings);
    this.saving.dataset.state = saving.paused ? "paused" : "";
    this.saving.title = saving.paused ? `Paused: ${saving.paused}` : "Saves about one picture of each face per second";
    const state = settings.saving ? "The gateway saves about one picture of each face per second." : "The gateway does not save faces.";
    const fixed = settings.saving_allowed ? "" : " Its settings do not allow it to (EMOTII_SAVING_ALLOWED).";
    const lost = restored ? ` Redis lost its ${restored.what} at ${new Date(restored.at_ms).toLocaleTimeString()}; the gateway restored them.` : "";
    setText(byId("saving-status"), (saving.paused ? `The gateway has paused saving faces: ${saving.paused}.` : state) + fixed + lost);
  }

  show({ saving, blur }) {
    const modes = [...this.blur.options];
    const weakest = modes.findIndex(({ value }) => value === this.allowed?.min_blur);
    modes.forEach((mode, index) => { mode.disabled = index < weakest; }); // fixed by the environment of the gateway
    this.saving.disabled = this.allowed?.saving_allowed === false;
    this.blur.disabled = false;
    this.saving.setAttribute("aria-checked", String(saving));
    if (document.activeElement !== this.blur || this.blur.value !== blur) this.blur.value = blur;
  }

  async change(json) {
    this.changedAt = performance.now();
    try {
      this.show(await request("/api/v1/settings", { method: "PATCH", json }));
      setText(this.status, "");
    } catch (error) {
      this.changedAt = -Infinity; // the next stats event restores the current settings
      setText(this.status, error.message);
    }
  }
}
