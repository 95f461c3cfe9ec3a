// Keys without modifiers, outside of fields.

const actions = new Map();

/** Runs `action` when a key is pressed outside of fields. */
export const onKey = (key, action) => actions.set(key, action);

const isField = (target) => target instanceof HTMLElement && target.matches("input, select, textarea");

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  if (event.key === "Escape") {
    if (document.querySelector("dialog[open]")) return;
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    return;
  }
  if (isField(event.target)) return;
  if (document.querySelector("dialog[open]") && event.key !== "?") return;
  const action = actions.get(event.key);
  if (!action) return;
  event.preventDefault();
  action();
});
