// The texts in the reader's language, numbers and dates.

export const words = JSON.parse(document.querySelector('meta[name="words"]').content);

const locale = words.code;
const integers = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
const decimals = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat(locale, { timeStyle: "medium" });
const short = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" });
const whole = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" });
const day = new Intl.DateTimeFormat(locale, { dateStyle: "full" });

/** Puts values in place of `{name}`. */
export const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));

/** The name of a value that GREEN-API sends, or the value itself. */
export const named = (names, value) => (Object.hasOwn(names, value) ? names[value] : value);

export const count = (number) => integers.format(number);

const unit = (number, unit) =>
  new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 1 }).format(number);

/** A span of time in its largest fitting unit. */
export function span(seconds) {
  for (const [size, name] of [[86400, "day"], [3600, "hour"], [60, "minute"]]) {
    if (seconds >= size) return unit(Math.floor(seconds / size), name);
  }
  return seconds < 1 ? unit(seconds * 1000, "millisecond") : unit(seconds, "second");
}

export function bytes(number) {
  for (const [size, name] of [[1e9, "gigabyte"], [1e6, "megabyte"], [1e3, "kilobyte"]]) {
    if (number >= size) return unit(number / size, name);
  }
  return unit(number, "byte");
}

export const decimal = (number) => decimals.format(number);

const isDate = (date) => !Number.isNaN(date.getTime());

/** Today only the time; otherwise the date too. */
export function moment(date) {
  if (!isDate(date)) return "";
  return date.toDateString() === new Date().toDateString() ? clock.format(date) : short.format(date);
}

export const wholeMoment = (date) => (isDate(date) ? whole.format(date) : "");
export const wholeDay = (date) => (isDate(date) ? day.format(date) : "");
