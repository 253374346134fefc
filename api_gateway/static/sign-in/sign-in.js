// Sign-in: sends the token to the gateway once; the gateway sets a session cookie that scripts cannot read.

import { request } from "../shared/api.js";
import { byId } from "../shared/dom.js";
import { withStatus } from "../shared/status-message.js";

const RETURN_PAGES = ["/", "/camera"]; // prevents redirects to other sites

byId("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { token } = event.target.elements;
  const json = { token: token.value };
  token.value = "";
  const session = await withStatus(byId("sign-in-status"), () => request("/api/v1/session", { method: "POST", json }));
  if (!session) return token.focus();
  const page = new URLSearchParams(location.search).get("page");
  location.replace((RETURN_PAGES.includes(page) ? page : "/") + location.hash);
});
