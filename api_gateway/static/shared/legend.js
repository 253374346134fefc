// A legend: a swatch for each label of a chart.

import { createElement } from "./dom.js";
import { emotionClasses } from "./palette.js";

/** @param {string[]} labels @param {(label: string) => string} textOf @returns {HTMLLIElement[]} */
export function legendItems(labels, textOf = (label) => label) {
  return labels.map((label) => (
    createElement("li", { class: emotionClasses(label, labels) }, createElement("span", { class: "swatch" }), textOf(label))
  ));
}
