// Erasing what was seen: what, when, a second click to be sure, and how it stands until it is done.

import { ask } from "../shared/api.js";
import { now } from "../shared/clock.js";
import { element, offer } from "../shared/dom.js";
import { say, saying } from "../shared/status-message.js";

const SPANS = { "ever": Infinity, "in the last ten minutes": 10, "in the last hour": 60, "in the last day": 24 * 60 };
const SURE_MS = 4000; // a second click within this time erases
const LOOK_MS = 700;

export class Erase {
  /** @param {{names: () => string[]}} known sources */
  constructor(known) {
    this.known = known;
    this.form = element("erase");
    this.line = element("erase-line");
    this.button = this.form.querySelector("button");
    offer(this.form.elements.span, Object.keys(SPANS));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
  }

  /** The section is shown. */
  enter() {
    offer(this.form.elements.source, this.known.names(), { first: "all sources" });
  }

  async submit() {
    if (this.button.dataset.sure !== "true") {
      this.ask(true);
      setTimeout(() => this.ask(false), SURE_MS);
      return;
    }
    this.ask(false);
    this.button.disabled = true;
    const erasure = await saying(this.line, () => ask("/api/v1/erasures", { method: "POST", json: this.wanted() }));
    const erased = erasure && (await saying(this.line, () => this.follow(erasure)));
    if (erased) say(this.line, told(erased));
    this.button.disabled = false;
  }

  ask(sure) {
    this.button.dataset.sure = String(sure);
    this.button.textContent = sure ? "Really erase?" : "Erase";
  }

  wanted() {
    const { source, span } = this.form.elements;
    const minutes = SPANS[span.value];
    const wanted = {};
    if (source.value) wanted.source = source.value;
    if (Number.isFinite(minutes)) wanted.from = Math.round(now() - minutes * 60_000);
    return Object.keys(wanted).length ? wanted : { all: true };
  }

  async follow(erasure) {
    let standing = erasure;
    while (standing.state !== "done") {
      say(this.line, standing.trouble ? `Erasing waits: ${standing.trouble}` : "Erasing ...", Boolean(standing.trouble));
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      standing = await ask(`/api/v1/erasures/${erasure.id}`);
    }
    return standing.erased;
  }
}

const told = ({ faces, records, jobs, entries }) =>
  `Erased: ${faces} saved faces, ${records} readings and episodes, ${jobs} videos, ${entries} entries in Redis.`;
