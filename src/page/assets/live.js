// The live list: newest first. It never moves what a person is reading, and never holds more than MOST rows.

import { by, announce } from "./dom.js";
import { address, follow, newestSeq, read } from "./api.js";
import { words, fill, count } from "./words.js";
import { summary } from "./summary.js";
import { eventRow, messageRow } from "./row.js";
import { onKey } from "./keys.js";

// Rows in the list; beyond that, the oldest are removed.
const MOST = 500;
const FIRST = 100;
// Milliseconds between two changes of the list.
const TICK = 250;

const FILTERS = ["type", "typeMessage", "instance", "chat", "outcome", "drift", "since", "until"];
const MOMENTS = ["since", "until"];

const parameters = new URLSearchParams(location.search);
const filter = Object.fromEntries(FILTERS.map((name) => [name, parameters.get(name) ?? ""]));
const query = parameters.get("q") ?? "";
const cursor = parameters.get("cursor") ?? "";
const isLive = query === "" && cursor === "" && filter.until === "";

const rows = by("rows");
const form = by("filters");
let isPaused = false;
let stop = null;
// Events that arrived and are not shown yet, the newest last; at most MOST. `arrived` counts all of them.
let waiting = [];
let arrived = 0;
// Whether the server left out events of a burst: the list says so until it is loaded again.
let hasSkipped = false;
let timer = null;

function fillForm() {
  form.elements.q.value = query;
  let used = 0;
  for (const name of FILTERS) {
    const field = form.elements[name];
    if (filter[name] === "") continue;
    used += 1;
    if (name === "drift") field.checked = filter.drift === "true";
    else if (MOMENTS.includes(name)) field.value = toLocal(filter[name]);
    else {
      if (field instanceof HTMLSelectElement && ![...field.options].some((option) => option.value === filter[name])) {
        field.add(new Option(filter[name], filter[name]));
      }
      field.value = filter[name];
    }
  }
  by("filter-count").textContent = used > 0 ? `(${used})` : "";
  by("more").open = used > 0;
}

function toLocal(moment) {
  const date = new Date(moment);
  if (Number.isNaN(date.getTime())) return "";
  return new Date(date.getTime() - date.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const chosen = Object.fromEntries(new FormData(form));
  for (const name of MOMENTS) if (chosen[name]) chosen[name] = new Date(chosen[name]).toISOString();
  location.assign(address("/", chosen));
});

function note(text, isBad = false) {
  by("note").textContent = text;
  by("note").hidden = text === "";
  by("note").classList.toggle("bad", isBad);
}

function connection(state) {
  const label = {
    live: words.stateLive, connecting: words.stateConnecting, paused: words.statePaused, lost: words.stateLost,
    "signed-out": words.stateSignedOut, search: words.stateSearch, older: words.stateOlder,
  }[state];
  const shown = by("connection");
  if (shown.dataset.state === state && shown.textContent === label) return;
  shown.dataset.state = state;
  shown.textContent = label;
  if (state === "lost" || state === "signed-out") announce(label);
}

/** Whether new rows would move what a person is looking at. */
const isReading = () => isPaused || scrollY > 8 || rows.contains(document.activeElement);

function flush() {
  timer = null;
  if (isReading()) {
    by("new").hidden = arrived === 0;
    by("new").textContent = fill(words.newCount, { count: count(arrived) });
    return;
  }
  show();
}

function show() {
  if (waiting.length > 0) {
    const made = document.createDocumentFragment();
    for (const event of waiting.toReversed()) made.append(eventRow(event));
    rows.prepend(made);
    while (rows.childElementCount > MOST) rows.lastElementChild.remove();
    announce(fill(words.announce, { count: count(arrived) }));
    if (!hasSkipped) note("");
  }
  waiting = [];
  arrived = 0;
  by("new").hidden = true;
}

function onEvent(event) {
  // A body may be large, and the row needs only the line.
  waiting.push({ ...event, body: undefined, line: summary(event) });
  if (waiting.length > MOST) waiting.shift();
  arrived += 1;
  timer ??= setTimeout(flush, TICK);
}

function onSkipped(number) {
  hasSkipped = true;
  note(fill(words.skipped, { count: count(number) }));
}

function showNew() {
  scrollTo(0, 0);
  show();
}

function setPaused(paused) {
  isPaused = paused;
  by("pause").setAttribute("aria-pressed", String(paused));
  by("pause").textContent = paused ? words.resume : words.pause;
  by("connection").hidden = paused;
  if (!paused) flush();
}

function link(id, parameters) {
  by(id).hidden = false;
  by(id).href = address("/", parameters);
}

async function load() {
  stop?.();
  waiting = [];
  arrived = 0;
  hasSkipped = false;
  try {
    const isFiltered = query !== "" || Object.values(filter).some((value) => value !== "");
    const newest = isFiltered ? await newestSeq() : 0;
    const page = query === ""
      ? await read("/api/v1/events", { ...filter, limit: FIRST, body: "true", cursor })
      : await read("/api/v1/messages", { ...filter, limit: FIRST, q: query, cursor });
    const { data, nextCursor } = page.json;
    rows.replaceChildren(...data.map(query === "" ? eventRow : messageRow));
    note(data.length > 0 ? "" : isFiltered ? words.noMatches : words.noEvents);
    if (nextCursor) link("older", { ...filter, q: query, cursor: nextCursor });
    if (cursor !== "") link("newest", { ...filter, q: query });
    if (!isLive) return connection(query === "" ? "older" : "search");
    // The list may have events that are newer still.
    stop = follow(filter, Math.max(newest, data[0]?.seq ?? 0), page.epoch, { event: onEvent, skipped: onSkipped, state: connection, reload: load });
  } catch (failure) {
    connection(failure.status === 401 ? "signed-out" : "lost");
    note(fill(words.loadFailed, { reason: failure.message }), true);
    if (failure.status === 409 && cursor !== "") location.assign(address("/", { ...filter, q: query }));
    else if (failure.status === undefined || failure.status >= 500) setTimeout(load, 5000);
  }
}

function step(direction) {
  const links = [...rows.querySelectorAll("a.what")];
  const current = links.findIndex((link) => link.closest("li").contains(document.activeElement));
  const next = links[current === -1 ? (direction > 0 ? 0 : -1) : current + direction];
  next?.focus();
}

onKey("j", () => step(1));
onKey("k", () => step(-1));
onKey("p", () => isLive && setPaused(!isPaused));
onKey("n", showNew);
by("pause").hidden = !isLive;
by("pause").addEventListener("click", () => setPaused(!isPaused));
by("new").addEventListener("click", showNew);
addEventListener("scroll", () => {
  if (arrived > 0 && !isReading()) flush();
}, { passive: true });
fillForm();
load();
