/** Elements of HTML and SVG, made by script: text stays text, and no markup is parsed. */

const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

export function element(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** A table: its head, and rows that each begin with their own heading. */
export function table(caption, head, rows) {
  const cells = ([first, ...others]) =>
    element("tr", {}, element("th", { scope: "row" }, first), ...others.map((text) => element("td", {}, text)));
  return element(
    "table",
    {},
    element("caption", {}, caption),
    element("thead", {}, element("tr", {}, ...head.map((text) => element("th", { scope: "col" }, text)))),
    element("tbody", {}, ...rows.map(cells)),
  );
}

/** What may be wider than the page scrolls by itself, by keyboard, too. */
export function scrolling(label, content) {
  return element("div", { class: "scrolling", role: "region", tabindex: "0", "aria-label": label }, content);
}

/** Changes a text only where it differs: a live region says whatever changes. */
export function put(place, text) {
  if (place.textContent !== text) place.textContent = text;
}
