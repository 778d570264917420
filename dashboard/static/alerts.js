// Keeps the list of open alerts current: asks for it again and again, as the server writes it.

import { signInAgain } from "./api.js";

const EVERY_MS = 4000;

const list = document.getElementById("open");
const link = document.getElementById("link");
let shown = "";

async function look() {
  if (!document.hidden) {
    try {
      const answer = await fetch(list.dataset.source, { headers: { Accept: "text/html" } });
      if (answer.status === 401 || answer.redirected) return signInAgain();
      if (!answer.ok) throw new Error();
      show(await answer.text());
      say("connected", "Connected");
    } catch {
      say("lost", "Connection lost: this list may be out of date");
    }
  }
  setTimeout(look, EVERY_MS);
}

// Only when something changed: whoever reads or tabs through the list is not disturbed.
function show(html) {
  if (plain(html) === plain(shown)) return;
  const first = shown === "";
  shown = html;
  if (first && plain(html) === plain(list.innerHTML)) return;
  list.innerHTML = html;
}

// Without the tokens of its forms, which are new in every answer; old ones stay valid.
function plain(html) {
  return html.replace(/<input[^>]*csrf_token[^>]*>/g, "").trim();
}

function say(state, words) {
  link.dataset.link = state;
  if (link.textContent !== words) link.textContent = words;
}

look();
