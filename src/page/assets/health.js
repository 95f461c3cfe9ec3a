// The numbers of the health view, from /metrics and the API, every few seconds while the view can be seen.

import { by, element } from "./dom.js";
import { read, text } from "./api.js";
import { parse } from "./metrics.js";
import { words, fill, bytes, count, decimal, moment, span } from "./words.js";

const PAUSE = 5000;
const alertTexts = JSON.parse(document.querySelector("meta[name=alert-texts]").content);
let before = null;

const show = (id, value) => { by(`n-${id}`).textContent = value; };

function showMetrics(samples) {
  const all = (name) => samples.filter((sample) => sample.name === name);
  const sum = (name) => all(name).reduce((total, sample) => total + sample.value, 0);
  const file = (name) => all("database_bytes").find((sample) => sample.labels.file === name)?.value;
  const mean = (name) => (sum(`${name}_count`) > 0 ? `${span(sum(`${name}_sum`) / sum(`${name}_count`))} (${words.sinceStart})` : words.noValue);
  const size = (value) => (value === undefined ? words.notKnown : bytes(value));
  const stored = sum("notifications_total");
  const now = performance.now();
  const total = `${count(stored)} (${words.sinceStart})`;
  const rate = before && (stored - before.stored) / ((now - before.now) / 60000);
  show("rate", before ? `${fill(words.perMinute, { count: decimal(rate) })}; ${total}` : total);
  before = { stored, now };
  show("commit", mean("commit_duration_seconds"));
  show("lag", mean("delivery_lag_seconds"));
  show("waiting", count(sum("waiting")));
  show("behind", count(sum("projection_lag_events")));
  for (const [id, name] of [["database", "database"], ["wal", "wal"], ["projection", "projection"]]) show(id, size(file(name)));
  show("free", size(all("disk_free_bytes")[0]?.value));
  show("deleted", `${count(sum("retention_deleted_events_total"))}, ${bytes(sum("retention_freed_bytes_total"))} (${words.sinceStart})`);
  const backup = all("last_backup_timestamp_seconds")[0]?.value;
  show("backup", backup === undefined ? words.notKnown : span(Math.max(0, Date.now() / 1000 - backup)));
  show("readers", count(sum("readers")));
  const refused = all("rejections_total").filter((sample) => sample.value > 0);
  by("no-rejections").hidden = refused.length > 0;
  by("rejections").replaceChildren(...refused.map((sample) =>
    element("div", {}, element("dt", {}, element("code", {}, sample.labels.reason)), element("dd", {}, count(sample.value)))));
  const reasons = new Set(refused.map((sample) => sample.labels.reason));
  for (const hint of document.querySelectorAll("[data-reason]")) hint.hidden = !reasons.has(hint.dataset.reason);
}

/** The summary of an alert in the reader's language, as the server makes it for the accounts. */
function alertSummary(alert, text) {
  const translated = alert.summary.replace(text.original, () => text.headline);
  const times = ` (${alert.count} times)`;
  if (!translated.endsWith(times)) return translated;
  return `${translated.slice(0, -times.length)} (${fill(words.alertTimes, { count: count(alert.count) })})`;
}

function showAlerts(alerts) {
  const firing = alerts.filter((alert) => alert.state === "firing");
  by("no-alerts").hidden = firing.length > 0;
  by("alerts").replaceChildren(...firing.map((alert) => {
    const text = alertTexts[alert.name];
    return element("li", { class: alert.severity }, element("strong", {}, alertSummary(alert, text)), " ",
      element("time", { datetime: alert.since }, moment(new Date(alert.since))), element("br"), text.help);
  }));
}

async function showReady() {
  const shown = by("ready");
  try {
    await read("/readyz");
    shown.textContent = words.healthReady;
    shown.className = "note good";
  } catch (failure) {
    shown.textContent = fill(words.healthNotReady, { reason: failure.message });
    shown.className = "note bad";
  }
}

async function showStored() {
  const { json } = await read("/api/v1/stats");
  show("events", count(json.events));
  if (json.oldestSeq === null) return;
  const oldest = (await read(`/api/v1/events/${json.oldestSeq}`)).json;
  by("n-oldest").replaceChildren(element("a", { href: `/events/${oldest.seq}` }, moment(new Date(oldest.receivedAt))));
}

async function renew() {
  if (!document.hidden) {
    const parts = [
      showReady(),
      text("/metrics").then((metrics) => showMetrics(parse(metrics))),
      read("/api/v1/alerts").then(({ json }) => showAlerts(json.data)),
      showStored(),
    ];
    await Promise.allSettled(parts);
  }
  setTimeout(renew, PAUSE);
}

renew();
