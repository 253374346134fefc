// The dialog that confirms an action that cannot be undone. It names what the action affects, to screen readers, too.

import { createElement } from "./dom.js";

let count = 0;

/**
 * Ask for confirmation; Escape and a change of the section cancel.
 * @param {{title: string, text: string, action: string}} content `action`: the label of the button that confirms
 * @returns {Promise<boolean>} whether the user confirmed
 */
export function confirmAction({ title, text, action }) {
  count += 1;
  const [titleId, textId] = [`confirm-title-${count}`, `confirm-text-${count}`];
  const dialog = createElement("dialog", { class: "confirm card", "aria-labelledby": titleId, "aria-describedby": textId },
    createElement("h2", { id: titleId, text: title }), createElement("p", { id: textId, text }),
    createElement("form", { method: "dialog" },
      createElement("button", { class: "quiet", value: "cancel", autofocus: true, text: "Cancel" }),
      createElement("button", { class: "danger", value: "confirm", text: action })));
  document.body.append(dialog);
  const cancel = () => dialog.close("cancel");
  addEventListener("hashchange", cancel);
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      removeEventListener("hashchange", cancel);
      dialog.remove();
      resolve(dialog.returnValue === "confirm");
    });
    dialog.showModal();
  });
}
