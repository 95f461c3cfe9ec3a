// A message or call of a chat as a bubble.

import { away, element, outside } from "./dom.js";
import { words, fill, named, moment, wholeMoment, span, count } from "./words.js";

const TICKS = { sent: "✓", delivered: "✓✓", read: "✓✓" };
const BASE64 = /^[A-Za-z0-9+/]{40,}={0,2}$/;

function ticks(message) {
  if (message.status === null) return null;
  const name = named(words.statuses, message.status);
  return element("span", { class: `ticks ${Object.hasOwn(TICKS, message.status) ? message.status : "failed"}`, title: message.statusDescription ?? name },
    element("span", { "aria-hidden": "true" }, TICKS[message.status] ?? "⚠"), " ", name);
}

function file(message, thumbnail) {
  if (message.file === null) return null;
  const { fileName, mimeType, downloadUrl, caption, kept } = message.file;
  const name = fileName || mimeType || words.fileNoName;
  return element("div", { class: "file private" },
    BASE64.test(thumbnail ?? "") && element("img", { src: `data:image/jpeg;base64,${thumbnail}`, alt: words.thumbnail, loading: "lazy" }),
    kept?.state === "kept" ? element("a", { href: `/api/v1/events/${kept.seq}/file`, title: words.openFile, dir: "auto" }, name) : away(downloadUrl, name) ?? outside(name),
    kept?.state === "lost" && element("p", { class: "note" }, words.fileLost),
    caption && element("p", { dir: "auto" }, caption));
}

function place(message) {
  if (message.location === null) return null;
  const { latitude, longitude, name, address } = message.location;
  return element("p", { class: "private", dir: "auto" }, `${words.location}: `,
    [name, address, latitude === null ? null : `${latitude}, ${longitude}`].filter(Boolean).join(", "));
}

function poll(found) {
  if (!found?.poll) return null;
  const most = Math.max(1, ...found.poll.options.map((option) => option.total));
  return element("ul", { class: "poll" }, found.poll.options.map((option) =>
    element("li", {}, outside(option.option), " ", element("span", { class: "votes" }, fill(words.votes, { count: count(option.total) })),
      element("progress", { max: most, value: option.total, "aria-hidden": "true" }))));
}

function reactions(found) {
  if (!found || found.reactions.length === 0) return null;
  return element("p", { class: "reactions", "aria-label": words.reaction }, found.reactions.map((one) =>
    element("span", { class: "private" }, one.reaction)));
}

/** `extra` has `detail` (the message with its history), `thumbnail` and `quote` (the message quoted). */
export function bubble(message, extra) {
  const at = new Date((message.timestamp ?? 0) * 1000);
  const isOwn = message.direction !== null && message.direction !== "incoming";
  // Each of these has the text already.
  const isOther = message.file || message.location || message.marker || message.contacts.length > 0;
  const text = isOther ? null : message.text;
  const name = isOwn ? words.you : message.senderName ?? message.sender;
  return element("article", { class: `bubble ${isOwn ? "own" : "other"}${message.deleted ? " deleted" : ""}`, "data-id": message.idMessage, "data-seq": message.seq },
    element("p", { class: "who" }, name && outside(name)),
    message.quoted && element("blockquote", { class: "private", dir: "auto" }, `${words.quoted} `,
      extra.quote?.text ?? extra.quote?.file?.caption ?? message.quoted.idMessage),
    text && element("p", { class: "text private", dir: "auto" }, text),
    file(message, extra.thumbnail), place(message),
    message.contacts.length > 0 && element("ul", { class: "contacts" }, message.contacts.map((one) =>
      element("li", {}, outside([one.name, ...(one.phones ?? [])].filter(Boolean).join(", "))))),
    !text && !message.file && !message.location && message.contacts.length === 0 &&
      element("p", { class: "muted" }, named(words.kinds, message.typeMessage ?? "") || words.emptyMessage),
    message.marker && element("p", { class: "badge late" }, message.marker),
    poll(extra.detail), reactions(extra.detail),
    element("p", { class: "foot" },
      message.edited && element("span", { class: "badge" }, words.edited),
      message.deleted && element("span", { class: "badge" }, words.deleted),
      element("a", { href: `/events/${message.seq}`, title: message.timestamp === null ? null : wholeMoment(at) },
        element("time", { datetime: at.toISOString() }, message.timestamp === null ? fill(words.openEvent, { seq: message.seq }) : moment(at))),
      ticks(message)));
}

export function callBubble(call) {
  const at = new Date((call.offerTimestamp ?? call.statusTimestamp ?? 0) * 1000);
  return element("article", { class: "bubble call", "data-seq": call.seq },
    element("p", { class: "text" }, `☎ ${named(words.calls, call.status ?? "offer")}`, call.duration ? `, ${span(call.duration)}` : null),
    element("p", { class: "foot" }, element("a", { href: `/events/${call.seq}`, title: wholeMoment(at) }, element("time", { datetime: at.toISOString() }, moment(at)))));
}
