// Where the dashboard is: at its host's root, or under a path there if a proxy serves it under one.

const root = document.documentElement.dataset.root ?? "";

// Every path that a script asks for or leads to goes through here. The API's answers, and what a
// page's template wrote, carry the root already.
export const at = (path) => root + path;
