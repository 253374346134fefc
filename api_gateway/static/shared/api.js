// Requests to the gateway: JSON comes back, or an error in the gateway's own words.

/** The gateway said no, or could not be asked. */
export class Refused extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/**
 * Ask the gateway.
 * @param {string} path
 * @param {{method?: string, json?: object, body?: FormData}} what
 * @returns the JSON of the answer; null if it has no content
 * @throws {Refused}
 */
export async function ask(path, { method = "GET", json, body } = {}) {
  const headers = json ? { "Content-Type": "application/json" } : {};
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: json ? JSON.stringify(json) : body });
  } catch {
    throw new Refused(0, "unreachable", "The gateway cannot be reached now.");
  }
  if (answer.status === 204) return null;
  const said = await answer.json().catch(() => null);
  if (answer.ok) return said;
  const { code = "error", message = `The gateway answered ${answer.status}.` } = said?.error ?? {};
  throw new Refused(answer.status, code, message);
}

/** A path with its query; what is empty is left out. */
export function address(path, query) {
  const given = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return given.length ? `${path}?${new URLSearchParams(given)}` : path;
}
