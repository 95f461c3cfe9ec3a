// Sends stored events to a forward destination again.

import { announce, element } from "./dom.js";
import { act } from "./api.js";
import { words, fill, count } from "./words.js";

export const at = (name, what) => `/api/v1/forward/${encodeURIComponent(name)}/${what}`;

/** Says how something ended, beside the button and to screen readers. */
function say(button, text, isBad = false) {
  const next = button.nextElementSibling;
  const shown = next?.classList.contains("said") ? next : element("span", {});
  shown.className = isBad ? "said failed" : "said";
  shown.textContent = text;
  button.after(shown);
  announce(text, true);
}

/** Does something once at a time for a button; `done` gives the text for what came back. */
export async function during(button, what, done) {
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  try {
    say(button, await done(await what()));
  } catch (failure) {
    say(button, fill(words.sendFailed, { reason: failure.message }), true);
  } finally {
    button.removeAttribute("aria-busy");
  }
}

/** Sends the events that are selected: `seq`, `dead`, or filters. */
export const replay = (button, name, selection) =>
  during(button, () => act(at(name, "replay"), selection), async (answer) =>
    fill(words.queued, { count: count((await answer.json()).queued) }));

for (const button of document.querySelectorAll("[data-resend]")) {
  const { resend, seq, instance, chat } = button.dataset;
  button.addEventListener("click", () => replay(button, resend, { seq, instance, chat }));
}
