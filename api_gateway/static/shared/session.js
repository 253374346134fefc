// The session of this browser: hides operators' controls from viewers, and redirects to the sign-in page when it expires.

import { request } from "./api.js";
import { byId } from "./dom.js";

/** Return the session, or redirect to the sign-in page if there is none (any more). */
export async function requireSession() {
  try {
    return await request("/api/v1/session");
  } catch (error) {
    if (error.status === 401) location.replace(`/sign-in?page=${location.pathname}${location.hash}`);
    return null; // the connection status already shows that the gateway is unreachable
  }
}

/** Adapt the page to the role of this session. */
export async function showSession() {
  const session = await requireSession();
  if (!session) return;
  document.body.dataset.role = session.role;
  const signOut = byId("sign-out");
  if (!signOut) return;
  signOut.hidden = !session.tokens;
  signOut.textContent = `Sign out (${session.role})`;
  signOut.addEventListener("click", async () => {
    await request("/api/v1/session", { method: "DELETE" });
    location.replace("/sign-in");
  });
}
