// One conversation, oldest message at the top. It follows the stream: a status changes the ticks in place.

import { by, element, announce } from "./dom.js";
import { address, follow, newestSeq, read } from "./api.js";
import { words, fill, count, wholeDay } from "./words.js";
import { bubble, callBubble } from "./bubble.js";
import { messageData } from "./summary.js";

const FIRST = 60;
// Bubbles in the log; beyond that, the oldest are removed.
const MOST = 500;
// Messages whose history is asked for when the view opens: polls and messages with reactions.
const MOST_DETAILS = 30;
const MOST_THUMBNAILS = 200;

const log = by("log");
const { instance, chat } = log.dataset;
const parameters = new URLSearchParams(location.search);
const query = parameters.get("q") ?? "";
const date = parameters.get("date") ?? "";
const cursor = parameters.get("cursor") ?? "";
const isLive = query === "" && date === "" && cursor === "";
const form = by("filters");

// Shown entries by key: the message or call, and what its bubble needs besides.
const shown = new Map();
const thumbnails = new Map();

const timeOf = (entry) => entry.call ? entry.call.offerTimestamp ?? entry.call.statusTimestamp ?? 0 : entry.message.timestamp ?? 0;
const seqOf = (entry) => (entry.call ?? entry.message).seq;
/** By time; entries of the same second by their arrival. */
const order = (a, b) => timeOf(a) - timeOf(b) || seqOf(a) - seqOf(b);
const keyOf = (message) => message.idMessage ?? `seq ${message.seq}`;

function note(text, isBad = false) {
  by("note").textContent = text;
  by("note").hidden = text === "";
  by("note").classList.toggle("bad", isBad);
}

function connection(state) {
  const label = { live: words.stateLive, connecting: words.stateConnecting, lost: words.stateLost, "signed-out": words.stateSignedOut, search: words.stateSearch, older: words.stateOlder }[state];
  by("connection").dataset.state = state;
  by("connection").textContent = label;
  if (state === "lost" || state === "signed-out") announce(label);
}

function made(entry) {
  if (entry.call) return callBubble(entry.call);
  const quote = entry.message.quoted && shown.get(entry.message.quoted.idMessage)?.message;
  return bubble(entry.message, { detail: entry.detail, thumbnail: thumbnails.get(entry.message.idMessage), quote });
}

/** Puts an entry in its place by time, or replaces its bubble. */
function put(key, entry) {
  const known = shown.get(key);
  if (known) {
    Object.assign(known, entry);
    const renewed = made(known);
    const hadFocus = known.node.contains(document.activeElement);
    known.node.replaceWith(renewed);
    known.node = renewed;
    if (hadFocus) renewed.querySelector("a")?.focus();
    return;
  }
  shown.set(key, entry);
  entry.node = made(entry);
  const later = [...shown.values()].filter((other) => order(other, entry) > 0).sort(order)[0];
  log.insertBefore(entry.node, later?.node ?? null);
}

function days() {
  for (const old of log.querySelectorAll(".day")) old.remove();
  let day = "";
  for (const node of log.querySelectorAll(".bubble")) {
    const at = new Date(node.querySelector("time")?.dateTime ?? "");
    // A message of which only statuses arrived has no time.
    if (at.getTime() === 0 || at.toDateString() === day) continue;
    day = at.toDateString();
    node.before(element("h2", { class: "day" }, wholeDay(at)));
  }
}

function bound() {
  while (shown.size > MOST) {
    const oldest = log.querySelector(".bubble");
    for (const [key, entry] of shown) if (entry.node === oldest) shown.delete(key);
    oldest.remove();
  }
}

/** The address of a message. A person may have two chats, and the API lists the messages of both. */
const detailPath = (id, messageChat) => `/api/v1/messages/${instance}/${encodeURIComponent(messageChat)}/${encodeURIComponent(id)}`;

/** Asks for the current form of a message, which is in `eventChat` unless it is shown already. */
async function renew(id, eventChat) {
  try {
    const { json } = await read(detailPath(id, shown.get(id)?.message?.chatId ?? eventChat ?? chat));
    const isNotice = ["reactionMessage", "editedMessage", "deletedMessage", "pollUpdateMessage"].includes(json.typeMessage);
    if (!isNotice) put(id, { message: json, detail: json });
  } catch (failure) {
    // An edit, a reaction or a vote has an identifier of its own that names no message.
    if (failure.status !== 404) throw failure;
  }
}

/** The messages that an event is about. */
function targets(event) {
  const data = messageData(event.body);
  const ids = [event.idMessage, data.quotedMessage?.stanzaId, data.editedMessageData?.stanzaId, data.deletedMessageData?.stanzaId, data.pollMessageData?.stanzaId];
  return [...new Set(ids.filter((id) => typeof id === "string" && id !== ""))];
}

function learn(event) {
  const thumbnail = messageData(event.body).fileMessageData?.jpegThumbnail;
  if (event.idMessage && typeof thumbnail === "string") thumbnails.set(event.idMessage, thumbnail);
  if (thumbnails.size > MOST_THUMBNAILS) thumbnails.delete(thumbnails.keys().next().value);
  const sender = event.body?.senderData;
  if (typeof sender?.chatName === "string" && sender.chatName !== "" && by("chat-name").textContent === chat) by("chat-name").textContent = sender.chatName;
}

const isAtEnd = () => innerHeight + scrollY >= document.documentElement.scrollHeight - 80;
const toEnd = () => scrollTo(0, document.documentElement.scrollHeight);

let queue = Promise.resolve();
function onEvent(event) {
  queue = queue.then(async () => {
    const wasAtEnd = isAtEnd();
    const before = shown.size;
    learn(event);
    if (event.typeWebhook?.endsWith("Call")) await loadCalls();
    else for (const id of targets(event)) await renew(id, event.chatId);
    bound();
    days();
    note("");
    if (wasAtEnd) toEnd();
    else if (shown.size > before) by("new").hidden = false;
  }).catch(() => connection("lost"));
}

async function loadCalls() {
  const { json } = await read("/api/v1/calls", { instance, chat, limit: 20 });
  for (const call of json.data) put(`call ${call.seq}`, { call });
}

async function load() {
  const newest = await newestSeq();
  const day = date === "" ? null : new Date(`${date}T00:00`);
  // From a date on, the oldest first; otherwise the newest.
  const since = day && !Number.isNaN(day.getTime()) ? day.toISOString() : "";
  const page = await read("/api/v1/messages", { instance, chat, q: query, cursor, since, order: since === "" ? "desc" : "asc", limit: FIRST });
  const { data, nextCursor } = page.json;
  const events = (await read("/api/v1/events", { instance, chat, body: "true", limit: 200 })).json.data;
  events.forEach(learn);
  for (const message of data) put(keyOf(message), { message });
  if (isLive) await loadCalls();
  const withHistory = events.filter((event) => event.typeMessage === "reactionMessage").flatMap(targets);
  const polls = data.filter((message) => message.typeMessage === "pollMessage").map((message) => message.idMessage);
  const wanted = [...new Set([...withHistory, ...polls])].filter((id) => shown.has(id)).slice(0, MOST_DETAILS);
  await Promise.all(wanted.map((id) => renew(id)));
  // Quotes need the messages that they quote.
  for (const [key, entry] of shown) if (entry.message?.quoted) put(key, {});
  days();
  note(data.length > 0 ? (query === "" ? "" : fill(words.matches, { count: count(data.length) })) : query === "" ? words.noMessages : words.noMatches);
  if (nextCursor) {
    by("older").hidden = false;
    by("older").textContent = since === "" ? words.olderMessages : words.laterMessages;
    by("older").href = address(location.pathname, { q: query, date, cursor: nextCursor });
  }
  if (isLive) toEnd();
  return { epoch: page.epoch, newest };
}

async function start() {
  try {
    const { epoch, newest } = await load();
    if (!isLive) return connection(query === "" ? "older" : "search");
    const reload = () => location.reload();
    follow({ instance, chat }, newest, epoch, { event: onEvent, skipped: reload, state: connection, reload });
  } catch (failure) {
    connection(failure.status === 401 ? "signed-out" : "lost");
    note(fill(words.loadFailed, { reason: failure.message }), true);
  }
}

form.elements.q.value = query;
form.elements.date.value = date;
form.addEventListener("submit", (event) => {
  event.preventDefault();
  location.assign(address(location.pathname, Object.fromEntries(new FormData(form))));
});
by("latest").href = location.pathname;
by("new").addEventListener("click", () => {
  by("new").hidden = true;
  toEnd();
});
start();
