// The forward destinations: how each is doing, its dead letters, and sending events again.

import { element } from "./dom.js";
import { act, newestSeq, read, text } from "./api.js";
import { parse } from "./metrics.js";
import { at, during, replay } from "./resend.js";
import { words, fill, count, moment, named, span } from "./words.js";

const PAUSE = 5000;
const PAGE = 20;
const STATES = {
  running: ["good", () => words.forwardRunning],
  open: ["unknown", () => words.forwardOpen],
  disabled: ["bad", () => words.forwardDisabled],
  elsewhere: ["unknown", () => words.forwardElsewhere],
};

const time = (at) => element("time", { datetime: at, title: at }, moment(new Date(at)));

/** One destination on the page. */
class Card {
  constructor(article) {
    this.name = article.dataset.name;
    this.part = (name) => article.querySelector(`[data-part="${name}"]`);
    this.dead = null;
    for (const form of article.querySelectorAll("form")) {
      form.addEventListener("submit", (submitted) => {
        submitted.preventDefault();
        const selection = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value.trim()]));
        replay(form.querySelector("button"), this.name, selection);
      });
    }
    this.part("send-dead").addEventListener("click", ({ currentTarget }) => replay(currentTarget, this.name, { dead: true }));
    this.part("enable").addEventListener("click", ({ currentTarget }) =>
      during(currentTarget, () => act(at(this.name, "enable")), () => words.forwardEnabled));
    this.part("more").addEventListener("click", () => this.list(this.next));
  }

  set(name, ...shown) {
    this.part(name).replaceChildren(...shown);
  }

  async show(status, newest, samples) {
    const [kind, state] = STATES[status.state];
    const isFailing = status.state === "running" && status.failingSince !== null;
    this.part("state").className = `state ${isFailing ? "unknown" : kind}`;
    this.set("state", isFailing ? words.forwardFailing : state());
    this.set("url", status.url);
    // The newest seq was read before or after the position.
    const unread = Math.max(0, newest - status.position);
    this.set("position", fill(words.positionOf, { position: count(status.position), newest: count(status.position + unread) }));
    this.set("backlog", status.waiting + unread === 0 ? words.noBacklog
      : fill(words.backlogOf, { waiting: count(status.waiting), unread: count(unread), time: span(status.backlogSeconds) }));
    const tried = samples.filter(({ name, labels }) => name === "forward_attempts_total" && labels.destination === status.name);
    const sum = (isMeant) => count(tried.filter(({ labels }) => isMeant(labels.result)).reduce((total, one) => total + one.value, 0));
    this.set("attempts", fill(words.attemptsOf, {
      delivered: sum((result) => result === "delivered"), failed: sum((result) => result !== "delivered" && result !== "expired"), since: words.sinceStart,
    }));
    this.set("breaker", status.state === "open" ? words.breakerOpen : words.breakerClosed);
    this.set("delivered", status.lastDeliveredAt === null ? words.noValue : time(status.lastDeliveredAt));
    this.set("failing", status.failingSince === null ? words.noValue : time(status.failingSince));
    this.part("problem").hidden = status.problem === null;
    this.part("problem").classList.toggle("bad", status.failingSince !== null);
    this.set("problem-text", status.problem ?? "");
    this.part("enable").hidden = status.state !== "disabled";
    const dead = `${status.dead} ${status.lastDeadAt}`;
    if (this.dead === dead) return;
    if (status.dead === 0) this.noDead();
    else await this.list(null);
    this.dead = dead;
  }

  noDead() {
    this.part("no-dead").hidden = false;
    for (const name of ["dead", "send-dead", "more"]) this.part(name).hidden = true;
  }

  /** Shows dead letters: the first ones, or those after a cursor below them. */
  async list(cursor) {
    const { json } = await read(at(this.name, "dead"), { limit: PAGE, cursor });
    if (json.data.length === 0 && cursor === null) return this.noDead();
    this.next = json.nextCursor;
    this.part("no-dead").hidden = true;
    for (const name of ["dead", "send-dead"]) this.part(name).hidden = false;
    this.part("more").hidden = json.nextCursor === null;
    const rows = json.data.map((dead) => this.row(dead));
    if (cursor === null) this.set("dead", ...rows);
    else this.part("dead").append(...rows);
  }

  row(dead) {
    const label = fill(words.sendAgainEvent, { seq: dead.seq, name: this.name });
    const button = element("button", { type: "button", "aria-label": label }, words.sendAgain);
    button.addEventListener("click", () => replay(button, this.name, { seq: dead.seq }));
    return element("li", {},
      element("a", { href: `/events/${dead.seq}` }, fill(words.event, { seq: dead.seq })),
      element("span", { dir: "auto" }, dead.typeWebhook === null ? words.noValue : named(words.types, dead.typeWebhook)),
      element("span", { class: "muted" }, `${words.attempts}: ${count(dead.attempts)}; ${words.deadSince} `, time(dead.deadAt)),
      element("span", { lang: "en", class: "why" }, dead.problem),
      button);
  }
}

const cards = new Map([...document.querySelectorAll(".destination")].map((article) => [article.dataset.name, new Card(article)]));

async function renew() {
  if (!document.hidden) {
    try {
      const [{ json }, newest, metrics] = await Promise.all([read("/api/v1/forward"), newestSeq(), text("/metrics")]);
      const samples = parse(metrics);
      await Promise.allSettled(json.data.map((status) => cards.get(status.name)?.show(status, newest, samples)));
      document.getElementById("note").hidden = true;
    } catch (failure) {
      const note = document.getElementById("note");
      note.hidden = false;
      note.textContent = fill(words.loadFailed, { reason: failure.message });
    }
  }
  setTimeout(renew, PAUSE);
}

if (cards.size > 0) renew();
