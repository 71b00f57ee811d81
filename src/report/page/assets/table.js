// Tables: those of the report, read back from how they are embedded, and those that are shown, which sort by a click.

// A table of CSV by columns.
class Columns {
  constructor(packed) {
    this.names = packed.names;
    this.leftOut = Number(packed.left_out);
    this.columns = packed.columns.map((column) =>
      Array.isArray(column) ? column : column.at.map((place) => column.words[Number(place)]));
    this.length = this.columns.length === 0 ? 0 : this.columns[0].length;
  }

  has(name) {
    return this.names.includes(name);
  }

  at(name, row) {
    const place = this.names.indexOf(name);
    return place < 0 ? "" : this.columns[place][row];
  }

  number(name, row) {
    return numberOf(this.at(name, row));
  }

  // The rows in which each of these columns has this text.
  rows(wanted) {
    const tests = Object.entries(wanted).map(([name, text]) => [this.columns[this.names.indexOf(name)] ?? [], text]);
    const found = [];
    for (let row = 0; row < this.length; row += 1) {
      if (tests.every(([column, text]) => column[row] === text)) found.push(row);
    }
    return found;
  }

  // What stands in a column, each once, in the order in which it comes.
  distinct(name) {
    return [...new Set(this.columns[this.names.indexOf(name)] ?? [])];
  }
}

// A cell with a number: what people read, and beneath it the text of the table.
function cell(text, unit) {
  const value = numberOf(text);
  if (value === null) return { text: NOTHING, value: null, exact: "" };
  const behind = { ns: " ns", s: " s", per_s: "/s", bytes: " bytes" }[unit] ?? "";
  return { text: show(text, unit), value, exact: text, title: `${text}${behind}` };
}

function words(text) {
  return { text, value: text, isText: true };
}

// A cell as it sorts: numbers as numbers, texts as people sort them, what is not there last.
function compareCells(a, b) {
  if (typeof a.value === "number" && typeof b.value === "number") return a.value - b.value;
  return String(a.value).localeCompare(String(b.value), "en", { numeric: true });
}

// Head: texts or { name, title }. Rows: arrays of cells or texts. More: caption, onrow (what a click on a row does).
function table(head, rows, more) {
  const heads = head.map((each) => (typeof each === "string" ? { name: each } : each));
  const lines = rows.map((row, index) => ({ index, cells: row.map((each) => (typeof each === "object" ? each : words(each))) }));
  const isNumber = heads.map((_, column) => lines.some((line) => line.cells[column] && !line.cells[column].isText));
  const body = el("tbody");
  const render = (order) => {
    body.replaceChildren(...order.map((line) => el("tr", { onclick: more?.onrow && (() => more.onrow(line.index)), class: more?.onrow && "leads" },
      line.cells.map((each, column) => el(column === 0 ? "th" : "td", {
        scope: column === 0 && "row", class: isNumber[column] ? "number" : each.mark, title: each.title ?? (column === 0 ? each.text : null), "data-value": each.exact,
      }, each.nodes ?? each.text)))));
  };
  const headers = heads.map((each, column) => {
    const header = el("th", { scope: "col", class: isNumber[column] && "number", "aria-sort": "none" });
    const sort = () => {
      const descends = header.getAttribute("aria-sort") === "ascending" || (isNumber[column] && header.getAttribute("aria-sort") === "none");
      headers.forEach((other) => other.setAttribute("aria-sort", "none"));
      header.setAttribute("aria-sort", descends ? "descending" : "ascending");
      const isThere = (line) => line.cells[column]?.value !== null && line.cells[column]?.value !== undefined;
      const there = lines.filter(isThere).sort((a, b) =>
        (descends ? -1 : 1) * compareCells(a.cells[column], b.cells[column]) || a.index - b.index);
      render([...there, ...lines.filter((line) => !isThere(line))]);
    };
    header.append(el("button", { type: "button", title: each.title ?? "sort", onclick: sort }, each.name));
    return header;
  });
  render(lines);
  return el("div", { class: rows.length > 30 ? "scroll long" : "scroll", tabindex: "0", role: "region", "aria-label": more?.caption ?? "table" },
    el("table", {}, el("thead", {}, el("tr", {}, headers)), body));
}

// Any table of a report as it is. Columns whose unit is known are shown in it.
function generic(columns, units, limit) {
  const shown = Math.min(columns.length, limit ?? 2000);
  const unitOf = (name) => units?.[name] ?? (/_ns$/.test(name) ? "ns" : /_s$/.test(name) ? "s" : name === "share" ? "share" : null);
  const isNumeric = columns.names.map((_, column) => {
    const texts = columns.columns[column].filter((text) => text !== "");
    return texts.length > 0 && texts.every((text) => Number.isFinite(Number(text)));
  });
  const rows = Array.from({ length: shown }, (_, row) => columns.names.map((name, column) => {
    const text = columns.columns[column][row];
    return isNumeric[column] || unitOf(name) !== null ? cell(text, unitOf(name) ?? "") : words(text);
  }));
  const head = columns.names.map((name) => name.replace(/_(ns|s)$/, ""));
  const left = columns.leftOut + columns.length - shown;
  return [table(head, rows), left > 0 && el("p", { class: "note" }, `${humanCount(left)} more rows are in the table itself.`)];
}

// Names with metrics, each metric with statistics: a column for each statistic that anybody has and that is not nothing for all. In
// short, a percentile stands behind its mean, and is not said whose it is.
function metricsTable(list, first, only, isShort) {
  const columns = [];
  for (const each of list) {
    for (const [metric, statistics] of Object.entries(each.metrics)) {
      if (only && !only(metric)) continue;
      for (const key of Object.keys(statistics)) {
        if (!columns.some((column) => column.metric === metric && column.key === key)) columns.push({ metric, key, ...statisticOf(key) });
      }
    }
  }
  const text = (each, { metric, key }) => each.metrics[metric]?.[key] ?? null;
  const used = columns.filter((column) => list.some((each) => (numberOf(text(each, column)) ?? 0) !== 0));
  // A count says no more where a rate or a share of the same stands beside it.
  const told = used.filter(({ metric, key }) => key !== "count" || !used.some((other) => other.metric === metric && ["rate_per_s", "mean", "share"].includes(other.key)));
  if (told.length === 0) return null;
  const name = (column) => {
    const alone = told.filter((other) => other.metric === column.metric).length === 1;
    if (isShort) return ["mean", "count", "rate", "share"].includes(column.name) ? column.metric : column.name;
    return alone ? column.metric : `${column.metric} ${column.name === "rate" ? "/s" : column.name}`;
  };
  const head = [first, ...told.map((column) => ({ name: name(column), title: `${column.metric}: ${column.name}` }))];
  return table(head, list.map((each) => [words(each.name), ...told.map((column) => cell(text(each, column), column.unit))]));
}
