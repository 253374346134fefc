// The session of this browser: shows operators their controls, and redirects to the sign-in page when it expires.

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

/** Adapt the page to the role of this session. Until the role is known, the page shows no operators' controls. */
export async function showSession() {
  const session = await requireSession();
  if (!session) return;
  document.body.dataset.role = session.role;
  document.body.toggleAttribute("data-single-sources", session.sources !== null);
  const signOut = byId("sign-out");
  if (!signOut) return;
  signOut.hidden = !session.tokens;
  signOut.textContent = `Sign out (${session.role})`;
  signOut.onclick = async () => {
    await request("/api/v1/session", { method: "DELETE" });
    location.replace("/sign-in");
  };
}
