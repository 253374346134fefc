// Elements: found, made, filled from a template of the page.

export const element = (id) => document.getElementById(id);

/** An element with properties (`class`, `text`, aria and data attributes, listeners as `onclick`) and children. */
export function make(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") made.className = value;
    else if (name === "text") made.textContent = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** A copy of a template: its root element, and every `data-part` in it by name. */
export function copyOf(id) {
  const root = element(id).content.firstElementChild.cloneNode(true);
  const parts = Object.fromEntries([...root.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]));
  return { root, ...parts };
}

/** Put words into a line, only if they are others: a screen reader would say them again. An empty line is hidden. */
export function write(line, words) {
  if (line.textContent !== words) line.textContent = words;
  line.hidden = words === "";
}

/** Offer these values, and keep the one that is chosen if it is among them. */
export function offer(select, values, { first = null, chosen = select.value } = {}) {
  const wanted = first === null ? values : ["", ...values];
  if (wanted.join("\n") !== [...select.options].map((option) => option.value).join("\n")) {
    select.replaceChildren(...wanted.map((value) => new Option(value || first, value)));
  }
  if (wanted.includes(chosen)) select.value = chosen;
}
