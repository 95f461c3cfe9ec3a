// What every view has: times in the reader's zone, language, colours, blur, help.

import { by, announce } from "./dom.js";
import { words, moment, wholeMoment, count } from "./words.js";
import { onKey } from "./keys.js";

const YEAR = 31536000;
const remember = (name, value) => {
  document.cookie = `green_inbox_${name}=${value}; Path=/; Max-Age=${YEAR}; SameSite=Strict`;
};

for (const time of document.querySelectorAll("time[datetime]")) {
  const date = new Date(time.dateTime);
  time.title = time.dateTime;
  time.textContent = time.closest(".fields") ? wholeMoment(date) : moment(date);
}
for (const number of document.querySelectorAll(".number")) number.textContent = count(Number(number.textContent));

by("language").addEventListener("click", () => {
  remember("language", by("language").dataset.code);
  location.reload();
});

by("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = isDark ? "light" : "dark";
  remember("theme", root.dataset.theme);
});

function blur(isBlurred) {
  document.body.classList.toggle("blurred", isBlurred);
  by("blur").setAttribute("aria-pressed", String(isBlurred));
}

function toggleBlur() {
  const isBlurred = !document.body.classList.contains("blurred");
  blur(isBlurred);
  sessionStorage.setItem("blur", isBlurred ? "1" : "");
  announce(`${words.blur}: ${isBlurred ? "✓" : "—"}`, true);
}

blur(sessionStorage.getItem("blur") === "1");
by("blur").addEventListener("click", toggleBlur);

const help = () => (by("help").open ? by("help").close() : by("help").showModal());
by("keys").addEventListener("click", help);
onKey("?", help);
onKey("x", toggleBlur);
onKey("/", () => document.querySelector('input[type="search"]')?.focus());
