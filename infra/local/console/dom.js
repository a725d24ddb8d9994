/** Building elements. Text only ever becomes text nodes, so that nothing from a server is read as markup. */

export const $ = (id) => document.getElementById(id);

/** An element with attributes (`on…` are listeners, true and false are presence) and children; null children are left out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

export function show(container, ...children) {
  container.replaceChildren(...children.filter((child) => child != null));
}

/** Text that keeps its own direction: plates, phone numbers, receipt numbers. */
export const isolated = (text, attributes = {}) => h("bdi", attributes, text);

export const spinner = (text) =>
  h("p", { class: "busy", role: "status" }, h("span", { class: "spinner", "aria-hidden": "true" }), text);

export const errorBox = (text) => h("p", { class: "error box", role: "alert" }, text);

export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
