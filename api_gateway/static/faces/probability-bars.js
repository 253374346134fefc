// A bar for each probability of one face.

import { copyOf } from "../shared/dom.js";
import { paint } from "../shared/palette.js";

export class Bars {
  /** @param {HTMLElement} list */
  constructor(list) {
    this.list = list;
    this.rows = new Map();
  }

  /** @param {Object<string, number>} probabilities 0 to 1 by emotion @param {string[]} strongest those that stand out */
  show(probabilities, strongest) {
    const labels = Object.keys(probabilities);
    if (labels.some((label) => !this.rows.has(label)) || labels.length !== this.rows.size) this.build(labels);
    for (const [label, probability] of Object.entries(probabilities)) {
      const row = this.rows.get(label);
      const percent = Math.round(probability * 100);
      row.root.dataset.strongest = String(strongest.includes(label));
      row.fill.style.transform = `translateX(${(probability - 1) * 100}%)`;
      row.meter.setAttribute("aria-valuenow", String(percent));
      row.value.textContent = `${percent}%`;
    }
  }

  build(labels) {
    this.rows.clear();
    this.list.replaceChildren(...labels.map((label) => {
      const row = copyOf("bar");
      row.root.className += ` ${paint(label, labels)}`;
      row.name.textContent = label;
      row.meter.setAttribute("aria-label", label);
      this.rows.set(label, row);
      return row.root;
    }));
  }
}
