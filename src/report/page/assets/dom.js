// Elements. Whatever a scenario says becomes a text node or an attribute, and never markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

function el(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function svg(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

let ids = 0;

function freshId(word) {
  ids += 1;
  return `${word}-${ids}`;
}

// A part of the page with a heading and, to the left of wide screens, an entry in the list of contents.
function section(title, about, ...content) {
  const children = content.flat(3).filter(Boolean);
  if (children.length === 0) return null;
  const id = title.toLowerCase().replace(/[^a-z]+/g, "-");
  return el("section", { id, "aria-labelledby": id + "-title" },
    el("h2", { id: id + "-title" }, title), about && el("p", { class: "about" }, about), children);
}

// Tabs: arrow keys go from one to the next, as in every such list. What is in them is made when they are opened.
const unopened = new Set();

function tabs(label, entries) {
  const buttons = [];
  const panels = [];
  const made = entries.map(() => false);
  const make = (index) => {
    if (made[index]) return;
    made[index] = true;
    panels[index].append(...[entries[index][1]()].flat(3).filter(Boolean));
  };
  unopened.add(() => entries.forEach((_, index) => make(index)));
  const choose = (index, focus) => {
    make(index);
    buttons.forEach((button, each) => {
      button.setAttribute("aria-selected", String(each === index));
      button.tabIndex = each === index ? 0 : -1;
      panels[each].hidden = each !== index;
    });
    if (focus) buttons[index].focus();
  };
  entries.forEach(([name], index) => {
    const id = freshId("tab");
    const steps = { ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: entries.length - 1 };
    buttons.push(el("button", {
      type: "button", role: "tab", id, "aria-controls": id + "-panel", title: name,
      onclick: () => choose(index, false),
      onkeydown: (event) => {
        if (!(event.key in steps)) return;
        event.preventDefault();
        choose((steps[event.key] + entries.length) % entries.length, true);
      },
    }, name));
    panels.push(el("div", { role: "tabpanel", id: id + "-panel", "aria-labelledby": id, tabindex: "0" },
      el("h3", { class: "only-printed" }, name)));
  });
  choose(0, false);
  const list = el("div", { role: "tablist", "aria-label": label, class: "tabs" }, buttons);
  return { element: el("div", { class: "tabbed" }, entries.length > 1 && list, panels), choose };
}

// Colours that can be told apart with any kind of sight (M. Okabe and K. Ito, 2008); the style sheet says what they are.
const COLOURS = ["blue", "vermilion", "green", "purple", "orange", "sky", "black"];

function colour(name) {
  return `var(--${name})`;
}

function swatch(name) {
  return el("span", { class: "swatch", style: `background:${colour(name)}` });
}

const FATES = {
  confirmed: "green", handled: "sky", "in-doubt": "yellow", lost: "vermilion", rejected: "orange", expired: "purple",
  failed: "black", abandoned: "grey", spared: "grey", "in-flight": "blue",
};

// A bar of parts, and what each of them is. Each part is { name, share, colour, text, exact }.
function stack(label, parts) {
  const shown = parts.filter((part) => part.share > 0);
  const piece = (part) => el("span", {
    style: `flex-grow:${part.share};background:${colour(part.colour)}`, title: `${part.name}: ${part.text}`,
  });
  return el("div", { class: "stack", role: "img", "aria-label": `${label}: ${shown.map((part) => `${part.name} ${part.text}`).join(", ")}` },
    shown.map(piece));
}
