// HTTP requests to the gateway: a JSON response, or an error with the gateway's message.

/** The gateway returned an error, or the page could not reach it (status 0). */
export class ApiError extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/**
 * Send a request to the gateway.
 * @param {string} path
 * @param {{method?: string, json?: object, body?: FormData}} options
 * @returns the JSON of the response; null for a response without content
 * @throws {ApiError}
 */
export async function request(path, { method = "GET", json, body } = {}) {
  const headers = json ? { "Content-Type": "application/json" } : {};
  let response;
  try {
    response = await fetch(path, { method, headers, body: json ? JSON.stringify(json) : body });
  } catch {
    throw new ApiError(0, "unreachable", "The page cannot reach the gateway.");
  }
  if (response.status === 204) return null;
  const content = await response.json().catch(() => null);
  if (response.ok) return content;
  const { code = "error", message = `The gateway returned HTTP ${response.status}.` } = content?.error ?? {};
  throw new ApiError(response.status, code, message);
}

/** A path with query parameters; empty parameters are omitted. */
export function withQuery(path, parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return given.length ? `${path}?${new URLSearchParams(given)}` : path;
}
