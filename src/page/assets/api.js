// Requests to the API of this server. The browser adds the session cookie.

export class Refusal extends Error {
  constructor(status, code, detail) {
    super(detail || code || String(status));
    this.status = status;
    this.code = code;
  }
}

async function check(response) {
  if (response.ok) return response;
  let problem = {};
  try {
    problem = await response.json();
  } catch {
    // Not a problem of this server.
  }
  throw new Refusal(response.status, problem.code, problem.detail);
}

/** An address with those parameters that have a value. */
export function address(path, parameters) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== "") query.set(name, value);
  }
  const text = query.toString();
  return text === "" ? path : `${path}?${text}`;
}

export async function text(path) {
  return (await check(await fetch(path, { cache: "no-store" }))).text();
}

/** The JSON at an address, with the epoch of the database. */
export async function read(path, parameters = {}) {
  const response = await check(await fetch(address(path, parameters), { cache: "no-store" }));
  const json = await response.json();
  return { json, epoch: response.headers.get("green-inbox-epoch") };
}

/** Asks the server to do something. */
export const act = async (path, parameters = {}) => check(await fetch(address(path, parameters), { method: "POST" }));

/**
 * Reads a stream of server-sent events until it ends. `EventSource` delivers only events whose names are known in
 * advance, and here an unknown `typeWebhook` is a name too.
 */
async function readStream(path, signal, onOpen, onEvent) {
  const response = await check(await fetch(path, { signal, cache: "no-store" }));
  onOpen();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    rest += value;
    for (let end = rest.indexOf("\n\n"); end >= 0; end = rest.indexOf("\n\n")) {
      const line = rest.slice(0, end).split("\n").find((line) => line.startsWith("data:"));
      rest = rest.slice(end + 2);
      if (line) onEvent(JSON.parse(line.slice(5)));
    }
  }
}

const PAUSE = 1000;
const LONGEST_PAUSE = 15000;
// So many missed events are not replayed one by one: the view is loaded again.
const MOST_MISSED = 500;

/** The newest seq of all. Read it before a list, and follow from there: what the list lacks comes by the stream. */
export async function newestSeq() {
  return (await read("/api/v1/events", { limit: 1 })).json.data[0]?.seq ?? 0;
}

/**
 * Follows the events after `seq` over interruptions. While the tab is hidden the connection is closed, because a
 * browser opens only six to one server. `on` has `event`, `skipped` (the server left out events of a burst), `state` (live,
 * connecting, lost, signed-out) and `reload`.
 */
export function follow(filter, seq, epoch, on) {
  let last = seq;
  let pause = PAUSE;
  let current = null;
  let isEnded = false;
  let timer = null;

  async function connect() {
    if (isEnded || document.hidden || current) return;
    const own = new AbortController();
    current = own;
    let isRefused = false;
    try {
      on.state("connecting");
      if ((await newestSeq()) - last > MOST_MISSED) return on.reload();
      const path = address("/api/v1/stream", { ...filter, after: last, epoch, watch: true });
      await readStream(path, own.signal, () => { pause = PAUSE; on.state("live"); }, (event) => {
        last = event.skippedThrough ?? event.seq;
        if (event.skippedThrough) on.skipped(last - event.skippedAfter);
        else on.event(event);
      });
    } catch (failure) {
      if (failure.status === 401) isRefused = true;
      else if (failure.status === 409) return on.reload();
    } finally {
      if (current === own) current = null;
    }
    if (isEnded || own.signal.aborted) return;
    on.state(isRefused ? "signed-out" : "lost");
    clearTimeout(timer);
    timer = setTimeout(connect, pause * (0.75 + Math.random() / 2));
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  }

  function onVisibility() {
    if (document.hidden) {
      current?.abort();
      current = null;
      clearTimeout(timer);
    } else {
      pause = PAUSE;
      connect();
    }
  }

  document.addEventListener("visibilitychange", onVisibility);
  connect();
  return () => {
    isEnded = true;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", onVisibility);
    current?.abort();
  };
}
