// What every page has: a head, a foot, and a scenario that can be read.

function header(title, facts, verdict) {
  const root = document.documentElement;
  const isDark = () => root.dataset.theme === "dark" || (!root.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
  const toggle = el("button", {
    type: "button", class: "theme", "aria-label": "light or dark", title: "light or dark",
    onclick: () => { root.dataset.theme = isDark() ? "light" : "dark"; },
  }, "◐");
  return el("header", {}, el("div", { class: "titled" }, el("h1", { title }, shortened(title || "untitled", 200)), toggle),
    el("p", { class: "facts-line" }, facts.filter(Boolean).join(" · ")), verdict);
}

function footer(whole, facts, command, about, more) {
  const line = [`seed ${whole.seed}`, ...facts, `rehearsal ${whole.version}`, whole.digest && `digest ${whole.digest}`];
  return el("footer", {}, more, command && el("p", {}, el("code", { class: "command" }, command), el("span", { class: "quiet" }, ` ${about}`)),
    el("p", { class: "quiet" }, line.filter(Boolean).join(" · ")));
}

function shortened(text, most) {
  const letters = [...text];
  return letters.length > most ? letters.slice(0, most - 1).join("") + "…" : text;
}

// TOML with its comments, tables and keys told apart.
function highlighted(text) {
  const mark = (kind, part) => el("span", { class: kind }, part);
  return text.split("\n").flatMap((line) => {
    const key = /^(\s*)((?:"[^"]*"|'[^']*'|[\w.-])+)(\s*=)/.exec(line);
    const shown = /^\s*#/.test(line) ? [mark("comment", line)] : /^\s*\[/.test(line) ? [mark("head", line)]
      : key ? [key[1], mark("key", key[2]), key[3], line.slice(key[0].length)] : [line];
    return [...shown, "\n"];
  });
}

// What formulas predict, beside what was measured; those that do not apply say why. Columns that are not known here come last.
function theoryTable(theory) {
  const known = ["quantity", "formula", "applies", "predicted", "unit", "measured", "low", "high", "difference", "agrees", "note", "source"];
  const others = theory.names.filter((name) => !known.includes(name));
  const rows = Array.from({ length: theory.length }, (_, row) => row);
  const text = (name, row) => words(theory.at(name, row));
  const line = (row) => {
    const at = (name) => theory.at(name, row);
    const unit = at("unit");
    const [sign, mark] = { yes: ["✓", "good"], no: ["✗", "bad"] }[at("agrees")] ?? ["", ""];
    const meant = { near: "≈ ", "at most": "≤ ", "at least": "≥ " }[at("applies")] ?? "";
    const predicted = cell(at("predicted"), unit);
    const interval = at("low") === "" ? words("") : {
      text: intervalOf(at("low"), at("high"), unit), value: theory.number("low", row), title: `${at("low")} to ${at("high")}`,
    };
    const apart = cell(at("difference"), "share");
    return [{ ...words(at("agrees")), text: sign, mark, title: at("agrees") === "" ? "" : `agrees: ${at("agrees")}` }, text("quantity", row),
      { ...predicted, text: meant + predicted.text }, cell(at("measured"), unit), interval, { ...apart, text: (apart.value > 0 ? "+" : "") + apart.text },
      text("formula", row), text("note", row), text("source", row), ...others.map((name) => text(name, row))];
  };
  const applies = rows.filter((row) => theory.at("applies", row) !== "no");
  const not = rows.filter((row) => theory.at("applies", row) === "no");
  const difference = { name: "difference", title: "measured less predicted for shares; measured over predicted less one for all else" };
  return [
    applies.length > 0 && table([{ name: "", title: "agrees" }, "quantity", "predicted", "measured", "95 % interval", difference, "formula", "note", "source", ...others], applies.map(line)),
    not.length > 0 && el("details", { open: applies.length === 0 }, el("summary", {}, `Where no formula applies (${not.length})`),
      table(["quantity", "why not"], not.map((row) => [text("quantity", row), text("note", row)]))),
  ];
}
