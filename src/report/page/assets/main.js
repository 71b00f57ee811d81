// Reads what is embedded, and shows it.

// What cannot be shown says so.
addEventListener("error", (event) => {
  const note = el("p", { class: "verdict bad" }, `This page cannot show its tables: ${event.message}`);
  if (!document.querySelector("header")) document.getElementById("page").replaceChildren(note);
});

const whole = JSON.parse(document.getElementById("data").textContent);
const page = whole.kind === "run" ? new RunPage(whole.tables) : new StudyPage(whole.kind, whole.tables.study);
const parts = page.parts().flat().filter(Boolean);
const contents = parts.filter((part) => part.tagName === "SECTION").map((part) =>
  el("a", { href: `#${part.id}` }, part.querySelector("h2").textContent));
parts.splice(1, 0, el("nav", { "aria-label": "contents" }, contents));
document.getElementById("page").replaceChildren(...parts);

// On paper, everything is shown but what is told once more, and of the stories those that are open.
addEventListener("beforeprint", () => {
  unopened.forEach((make) => make());
  document.querySelectorAll("details:not(.screen, .story, .story *):not([open])").forEach((each) => {
    each.open = true;
    each.dataset.closed = "";
  });
});
addEventListener("afterprint", () => document.querySelectorAll("details[data-closed]").forEach((each) => {
  each.open = false;
  delete each.dataset.closed;
}));
