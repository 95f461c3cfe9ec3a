// Colours JSON without changing a character of it.

import { element } from "./dom.js";

// Characters of a body; a longer one is left plain.
const MOST = 100_000;

const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

export function highlight(pre) {
  const text = pre.textContent;
  if (text.length > MOST) return;
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(TOKEN)) {
    const [token, string, colon] = match;
    const kind = string === undefined ? "json-value" : colon === undefined ? "json-string" : "json-key";
    const shown = string ?? token;
    parts.push(text.slice(end, match.index), element("span", { class: kind }, shown));
    end = match.index + shown.length;
  }
  parts.push(text.slice(end));
  pre.replaceChildren(...parts);
}
