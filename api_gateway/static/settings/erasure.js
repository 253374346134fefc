// The form that erases recorded data by source and time. It asks for confirmation and shows progress until all is erased.

import { request } from "../shared/api.js";
import { now } from "../shared/clock.js";
import { byId, setOptions } from "../shared/dom.js";
import { showStatus, withStatus } from "../shared/status-message.js";

const TIME_RANGE_MINUTES = { "all time": Infinity, "last 10 minutes": 10, "last hour": 60, "last day": 24 * 60 };
const CONFIRM_MS = 4000; // a second click within this time starts the erasure
const POLL_MS = 700;

export class ErasureForm {
  /** @param {{sources: () => string[]}} choices the sources to choose from */
  constructor(choices) {
    this.choices = choices;
    this.form = byId("erasure");
    this.status = byId("erasure-status");
    this.button = this.form.querySelector("button");
    setOptions(this.form.elements.range, Object.keys(TIME_RANGE_MINUTES));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
  }

  /** Called when the section is shown. */
  activate() {
    setOptions(this.form.elements.source, this.choices.sources(), { emptyLabel: "all sources" });
  }

  async submit() {
    if (this.button.dataset.confirm !== "true") {
      this.setConfirming(true);
      setTimeout(() => this.setConfirming(false), CONFIRM_MS);
      return;
    }
    this.setConfirming(false);
    this.button.disabled = true;
    const json = this.selectedScope();
    const erasure = await withStatus(this.status, () => request("/api/v1/erasures", { method: "POST", json }));
    const erased = erasure && (await withStatus(this.status, () => this.waitUntilDone(erasure)));
    if (erased) showStatus(this.status, summarize(erased));
    this.button.disabled = false;
  }

  setConfirming(isConfirming) {
    this.button.dataset.confirm = String(isConfirming);
    this.button.textContent = isConfirming ? "Confirm erasure" : "Erase";
  }

  /** The request body: the source and the start of the time range, or everything. */
  selectedScope() {
    const { source, range } = this.form.elements;
    const minutes = TIME_RANGE_MINUTES[range.value];
    const scope = {};
    if (source.value) scope.source = source.value;
    if (Number.isFinite(minutes)) scope.from = Math.round(now() - minutes * 60_000);
    return Object.keys(scope).length ? scope : { all: true };
  }

  /** Poll the erasure. @returns the counts of what was erased */
  async waitUntilDone(erasure) {
    let current = erasure;
    while (current.state !== "done") {
      const { trouble } = current;
      showStatus(this.status, trouble ? `The erasure is waiting: ${trouble}` : "Erasing …", Boolean(trouble));
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      current = await request(`/api/v1/erasures/${erasure.id}`);
    }
    return current.erased;
  }
}

const summarize = ({ faces, records, jobs, entries }) =>
  `Erased: ${faces} saved faces, ${records} readings and episodes, ${jobs} videos, ${entries} Redis entries.`;
