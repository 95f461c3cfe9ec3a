// Builds elements from text. Nothing here or elsewhere turns text into HTML.

/** An element with attributes, properties of `dataset`, and children: elements or texts. */
export function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value === false || value === null || value === undefined) continue;
    made.setAttribute(key, value === true ? "" : String(value));
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

export const by = (id) => document.getElementById(id);

/** Text from outside: isolated from the direction of its surroundings, and blurred on request. */
export const outside = (text, attributes) =>
  element("span", { class: "private", dir: "auto", ...attributes }, String(text));

/** A link that leaves this server; null unless the address is plain http or https. */
export function away(address, ...children) {
  let url;
  try {
    url = new URL(address);
  } catch {
    return null;
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") return null;
  return element("a", { href: url.href, target: "_blank", rel: "noopener noreferrer nofollow" }, ...children);
}

let announced = 0;
let waiting = null;

/** Tells screen readers, at most every few seconds; of several texts the last one. */
export function announce(text, isUrgent = false) {
  const wait = isUrgent ? 0 : Math.max(0, announced + 4000 - Date.now());
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    announced = Date.now();
    by("status").textContent = text;
  }, wait);
}

export const chatPath = (instance, chat) => `/chats/${instance}/${encodeURIComponent(chat)}`;
