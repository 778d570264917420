// Calls the API and turns every failure into an Error with words for people.

import { at } from "./paths.js";

export const csrfToken = document.querySelector('meta[name="csrf-token"]')?.content ?? "";

// The session has ended: this page can show nothing true any more.
export function signInAgain() {
  location.href = at(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
}

// version: what a change is for, as it was read; it is refused (412) when that is another now.
export async function call(method, path, body, version) {
  const options = { method, headers: { "X-CSRFToken": csrfToken } };
  if (version) options.headers["If-Match"] = `"${version}"`;
  if (body instanceof FormData) {
    options.body = body;
  } else if (body instanceof Blob) {
    options.headers["Content-Type"] = body.type;
    options.body = body;
  } else if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Error("Cannot reach the dashboard. Nothing was changed.");
  }
  if (answer.status === 401) signInAgain();
  const json = answer.status === 204 ? null : await answer.json().catch(() => null);
  if (!answer.ok) {
    const error = new Error(json?.detail ?? `The dashboard answered ${answer.status}.`);
    error.kind = json?.error ?? "";
    error.answer = json;
    throw error;
  }
  return json;
}
