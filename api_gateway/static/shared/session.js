// Who I am here: a viewer is offered nothing that only an operator may do, and whose session is over signs in again.

import { ask } from "./api.js";
import { element } from "./dom.js";

/** Go to the page for signing in if nobody is signed in here (any more). */
export async function lookForSession() {
  try {
    return await ask("/api/v1/session");
  } catch (error) {
    if (error.status === 401) location.replace(`/sign-in?page=${location.pathname}${location.hash}`);
    return null; // the gateway cannot be reached: the page says so already
  }
}

/** Show the page as this session may use it. */
export async function showSession() {
  const session = await lookForSession();
  if (!session) return;
  document.body.dataset.role = session.role;
  const out = element("sign-out");
  if (!out) return;
  out.hidden = !session.tokens;
  out.textContent = `Sign out (${session.role})`;
  out.addEventListener("click", async () => {
    await ask("/api/v1/session", { method: "DELETE" });
    location.replace("/sign-in");
  });
}
