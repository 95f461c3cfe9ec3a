// One event: its line in words, colours for its body, and what can be copied.

import { by, announce } from "./dom.js";
import { read } from "./api.js";
import { words } from "./words.js";
import { summary } from "./summary.js";
import { highlight } from "./highlight.js";

const seq = by("summary").dataset.seq;
const pre = by("body");
const text = pre?.textContent ?? "";

async function copy(copied) {
  try {
    await navigator.clipboard.writeText(copied);
    announce(words.copied, true);
  } catch {
    // Without TLS, a browser offers this way only.
    const field = document.createElement("textarea");
    field.value = copied;
    document.body.append(field);
    field.select();
    const isCopied = document.execCommand("copy");
    field.remove();
    announce(isCopied ? words.copied : words.copyFailed, true);
  }
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** A command that sends the body to the webhook of this server again. */
function curl() {
  const send = `curl -s ${quoted(by("copy-curl").dataset.webhook)} -H "Authorization: Bearer $WEBHOOK_TOKEN" -H 'Content-Type: application/json'`;
  if (pre.dataset.partial !== "true" && !text.includes("\0")) return `${send} --data-binary ${quoted(text)}`;
  const body = `curl -s ${quoted(`${location.origin}/api/v1/events/${seq}/body`)} -H "Authorization: Bearer $PRIVATE_TOKEN"`;
  return `${body} | ${send} --data-binary @-`;
}

by("copy")?.addEventListener("click", () => copy(text));
by("copy-curl")?.addEventListener("click", () => copy(curl()));

if (pre) highlight(pre);
try {
  by("summary").textContent = summary((await read(`/api/v1/events/${seq}`)).json);
} catch {
  by("summary").hidden = true;
}
