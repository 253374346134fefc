// DOM elements: find, create, clone from a template, update.

export const byId = (id) => document.getElementById(id);

/** Create an element with properties (`class`, `text`, attributes, listeners such as `onclick`) and children. */
export function createElement(tag, properties = {}, ...children) {
  const created = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") created.className = value;
    else if (name === "text") created.textContent = value;
    else if (name.startsWith("on")) created.addEventListener(name.slice(2), value);
    else created.setAttribute(name, value === true ? "" : value);
  }
  created.append(...children.filter((child) => child !== null));
  return created;
}

/** Clone a template: its root element, and every `data-part` in it by name. */
export function cloneTemplate(id) {
  const root = byId(id).content.firstElementChild.cloneNode(true);
  const parts = Object.fromEntries([...root.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]));
  return { root, ...parts };
}

/** Set the text of an element only if it differs, because screen readers announce every change. Empty text hides it. */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
  target.hidden = text === "";
}

/**
 * Replace the options of a select and keep the selected value if it is still an option.
 * @param {HTMLSelectElement} select
 * @param {string[]} values
 * @param {{emptyLabel?: string, labels?: Object<string, string>, selected?: string}} options
 *   `emptyLabel`: the text of a first option with an empty value; `labels`: texts that differ from their values
 */
export function setOptions(select, values, { emptyLabel = null, labels = {}, selected = select.value } = {}) {
  const all = emptyLabel === null ? values : ["", ...values];
  const shown = [...select.options].map((option) => option.value);
  if (all.length !== shown.length || all.some((value, index) => value !== shown[index])) {
    select.replaceChildren(...all.map((value) => new Option(labels[value] ?? (value || emptyLabel), value)));
  }
  if (all.includes(selected)) select.value = selected;
}
