// The form that erases recorded data by source and time. A dialog names what is erased; progress follows until all is erased.

import { request } from "../shared/api.js";
import { formatTime, now } from "../shared/clock.js";
import { confirmAction } from "../shared/confirm-dialog.js";
import { byId, setOptions } from "../shared/dom.js";
import { showStatus, withStatus } from "../shared/status-message.js";

const TIME_RANGE_MINUTES = { "all time": Infinity, "last 10 minutes": 10, "last hour": 60, "last day": 24 * 60 };
const ALL = "*"; // no name of a source
const POLL_MS = 700;

export class ErasureForm {
  constructor() {
    this.form = byId("erasure");
    this.status = byId("erasure-status");
    this.button = this.form.querySelector("button");
    setOptions(this.form.elements.range, Object.keys(TIME_RANGE_MINUTES));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
  }

  /** Offer these sources. The chosen one stays an option although it is gone, because its data may still be there. */
  setSources(names) {
    const { source } = this.form.elements;
    const isGone = ![undefined, "", ALL, ...names].includes(source.value);
    setOptions(source, [ALL, ...names, ...(isGone ? [source.value] : [])], { emptyLabel: "choose …", labels: { [ALL]: "all sources" } });
  }

  async submit() {
    const target = this.selectedTarget(); // read once: what the dialog names is what is sent
    if (!target || !(await confirmAction(target))) return;
    this.button.disabled = true;
    const { scope, name } = target;
    const erasure = await withStatus(this.status, () => request("/api/v1/erasures", { method: "POST", json: scope }));
    const erased = erasure && (await withStatus(this.status, () => this.waitUntilDone(erasure)));
    if (erased) showStatus(this.status, `Erased ${name}: ${summarize(erased)}`);
    this.button.disabled = false;
  }

  /** The request body and its words: the source and the start of the time range, or everything; null if none is chosen. */
  selectedTarget() {
    const { source: { value: source }, range: { value: range } } = this.form.elements;
    const minutes = TIME_RANGE_MINUTES[range];
    if (!source || !minutes) return null;
    const from = Number.isFinite(minutes) ? Math.round(now() - minutes * 60_000) : null;
    const scope = { ...(source === ALL ? {} : { source }), ...(from === null ? {} : { from }) };
    const name = `the data of ${source === ALL ? "all sources" : source}`;
    const kinds = `saved faces, history${source === ALL ? ", uploaded videos" : ""} and Redis data`;
    const span = from === null ? "of all time" : `since ${formatTime(from)}`;
    return {
      scope: Object.keys(scope).length ? scope : { all: true }, name, title: `Erase ${name}?`, action: `Erase ${name}`,
      text: `This erases ${kinds} of ${source === ALL ? "all sources" : source} ${span}. You cannot undo it. Capture continues.`,
    };
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
  `${faces} saved faces, ${records} readings and episodes, ${jobs} videos, ${entries} Redis entries.`;
