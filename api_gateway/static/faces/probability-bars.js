// The probabilities of one face as bars, one for each emotion.

import { cloneTemplate } from "../shared/dom.js";
import { emotionClasses } from "../shared/palette.js";

export class ProbabilityBars {
  /** @param {HTMLElement} list */
  constructor(list) {
    this.list = list;
    this.rows = new Map();
  }

  /** @param {Object<string, number>} probabilities 0 to 1 by emotion @param {string[]} highlighted labels to emphasise */
  show(probabilities, highlighted) {
    const labels = Object.keys(probabilities);
    if (labels.some((label) => !this.rows.has(label)) || labels.length !== this.rows.size) this.createRows(labels);
    for (const [label, probability] of Object.entries(probabilities)) {
      const row = this.rows.get(label);
      const percent = Math.round(probability * 100);
      row.root.dataset.highlighted = String(highlighted.includes(label));
      row.fill.style.transform = `translateX(${(probability - 1) * 100}%)`;
      row.meter.setAttribute("aria-valuenow", String(percent));
      row.value.textContent = `${percent}%`;
    }
  }

  createRows(labels) {
    this.rows.clear();
    this.list.replaceChildren(...labels.map((label) => {
      const row = cloneTemplate("bar");
      row.root.className += ` ${emotionClasses(label, labels)}`;
      row.name.textContent = label;
      row.meter.setAttribute("aria-label", label);
      this.rows.set(label, row);
      return row.root;
    }));
  }
}
