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
  if (html === shown) return;
  const first = shown === "";
  shown = html;
  if (!first || html.trim() !== list.innerHTML.trim()) list.innerHTML = html;
}

function say(state, words) {
  link.dataset.link = state;
  if (link.textContent !== words) link.textContent = words;
}

look();
