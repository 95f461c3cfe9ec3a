// A row of the live list.

import { element, outside, chatPath } from "./dom.js";
import { words, fill, named, moment, wholeMoment, span, count } from "./words.js";
import { summary } from "./summary.js";

// Seconds between GREEN-API's timestamp and the arrival, from which on a notification is late.
const LATE = 60;

function lateness(event) {
  if (event.timestamp === null) return null;
  const lag = Date.parse(event.receivedAt) / 1000 - event.timestamp;
  return lag >= LATE ? element("span", { class: "badge late" }, fill(words.late, { time: span(lag) })) : null;
}

function badges(event) {
  return [
    lateness(event),
    event.drift?.length > 0 && element("span", { class: "badge drift" }, fill(words.drift, { count: event.drift.length })),
    event.duplicateOf !== null && element("span", { class: "badge" }, words.duplicate),
    event.deliveries > 1 && element("span", { class: "badge" }, fill(words.timesDelivered, { count: count(event.deliveries) })),
  ];
}

function where(event) {
  if (event.idInstance === null) return null;
  const chat = event.chatId ?? null;
  return element("span", { class: "where" },
    element("a", { href: `/?instance=${event.idInstance}` }, String(event.idInstance)),
    chat !== null && " · ",
    chat !== null && element("a", { href: chatPath(event.idInstance, chat), class: "private", dir: "auto" }, chat),
  );
}

/** An event. */
export function eventRow(event) {
  const date = new Date(event.receivedAt);
  const type = named(words.types, event.typeWebhook ?? "—");
  const outcome = { known: words.outcomeKnown, unknown: words.outcomeUnknown, malformed: words.outcomeMalformed }[event.outcome];
  return element("li", { class: `row ${event.outcome}`, "data-seq": event.seq },
    element("time", { datetime: event.receivedAt, title: wholeMoment(date) }, moment(date)),
    element("span", { class: "kind" }, element("span", { class: `outcome ${event.outcome}` }, outcome), " ",
      element("span", { class: "type", dir: "auto" }, type)),
    element("a", { class: "what private", dir: "auto", href: `/events/${event.seq}` }, event.line ?? summary(event)),
    element("span", { class: "meta" }, where(event), badges(event)),
  );
}

/** A message that a search has found. */
export function messageRow(found) {
  const date = new Date((found.timestamp ?? 0) * 1000);
  const said = found.text ?? found.file?.caption ?? found.file?.fileName ?? words.emptyMessage;
  const name = found.direction === "incoming" ? found.senderName ?? found.sender ?? "" : words.you;
  return element("li", { class: "row known", "data-seq": found.seq },
    element("time", { datetime: date.toISOString(), title: wholeMoment(date) }, moment(date)),
    element("span", { class: "kind" }, element("span", { class: "type" }, named(words.kinds, found.typeMessage ?? "—"))),
    element("a", { class: "what private", dir: "auto", href: `/events/${found.seq}` }, `${name}: ${said}`.slice(0, 300)),
    element("span", { class: "meta" },
      where(found),
      found.status && element("span", { class: `badge ${found.status}` }, named(words.statuses, found.status)),
      found.edited && element("span", { class: "badge" }, words.edited),
      found.deleted && element("span", { class: "badge" }, words.deleted)),
  );
}
