// The status message of a section: progress, result or error of an action.

import { setText } from "./dom.js";

/** Run an action; show its error message. @returns the result of the action, or undefined if it failed */
export async function withStatus(target, action) {
  try {
    const result = await action();
    showStatus(target, "");
    return result;
  } catch (error) {
    showStatus(target, error.message, true);
    return undefined;
  }
}

/** Show a message; an empty one hides the element. */
export function showStatus(target, text, isError = false) {
  target.toggleAttribute("data-error", isError);
  setText(target, text);
}
