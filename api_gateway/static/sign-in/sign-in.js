// Signing in: the token goes to the gateway once, and a cookie that no script can read comes back.

import { ask } from "../shared/api.js";
import { element } from "../shared/dom.js";
import { saying } from "../shared/status-message.js";

const PAGES = ["/", "/camera"]; // nowhere else can a link lead from here

element("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { token } = event.target.elements;
  const json = { token: token.value };
  token.value = "";
  const session = await saying(element("sign-in-line"), () => ask("/api/v1/session", { method: "POST", json }));
  if (!session) return token.focus();
  const page = new URLSearchParams(location.search).get("page");
  location.replace((PAGES.includes(page) ? page : "/") + location.hash);
});
