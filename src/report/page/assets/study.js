// The page of a study: its points, each a choice of factors, and what was measured there.

// As much of a path from its end as tells it from the others.
function shortPath(path, all) {
  const parts = path.split(".");
  for (let count = 1; count < parts.length; count += 1) {
    const end = parts.slice(-count).join(".");
    if (all.filter((other) => other === end || other.endsWith("." + end)).length === 1) return end;
  }
  return path;
}

// Sweeps, tunings and comparisons as points: { factors, quantities, expectations, runs, digest, note }.
function pointsOf(kind, study) {
  if (kind === "sweep") return study.points ?? [];
  if (kind === "compare") return (study.sides ?? []).map((side) => ({ factors: { side: side.name }, runs: study.runs, ...side }));
  const notes = { infeasible: "breaks a condition", worse: "surely worse", halved: "worse half" };
  const noteOf = ({ reason, runs, dropped_after: dropped }) => (dropped === null || dropped === undefined ? reason : `${notes[reason] ?? reason} after ${runs}`);
  return (study.candidates ?? []).map((each) => ({
    ...each, factors: each.settings, note: noteOf(each), expectations: each.conditions,
    quantities: { [study.objective.quantity]: each.objective, ...Object.fromEntries((each.conditions ?? []).map((one) => [one.quantity, one.measured])) },
  }));
}

class StudyPage {
  constructor(kind, study) {
    this.kind = kind;
    this.study = study;
    this.points = pointsOf(kind, study).filter((point) => point.factors);
    this.factors = [...new Set(this.points.flatMap((point) => Object.keys(point.factors)))];
    this.quantities = [...new Set(this.points.flatMap((point) => Object.keys(point.quantities ?? {})))];
    this.short = Object.fromEntries(this.factors.map((path) => [path, shortPath(path, this.factors)]));
    this.levels = Object.fromEntries(this.factors.map((path) => [path, this.levelsOf(path)]));
  }

  // The values of a factor, in their order where all of them are numbers.
  levelsOf(path) {
    const about = (this.study.factors ?? []).find((factor) => factor.path === path);
    const levels = new Map();
    for (const point of this.points) {
      const text = point.factors[path];
      if (text !== undefined && !levels.has(text)) levels.set(text, numberOf(point.numbers?.[path]));
    }
    const isNumeric = levels.size > 1 && [...levels.values()].every((value) => value !== null);
    const list = [...levels].map(([text, value], index) => ({ text, at: isNumeric ? value : index }));
    if (isNumeric) list.sort((a, b) => a.at - b.at);
    return { list, isNumeric, unit: isNumeric ? about?.unit ?? "" : "", isLog: about?.scale === "log" && list.every(({ at }) => at > 0) };
  }

  head() {
    const all = this.points.flatMap((point) => point.expectations ?? []);
    const failed = this.points.filter((point) => (point.expectations ?? []).some((each) => each.verdict === "fail")).length;
    const unsure = this.points.filter((point) => (point.expectations ?? []).some((each) => each.verdict === "inconclusive")).length;
    const noun = { sweep: "point", compare: "side", tune: "setting" }[this.kind];
    const count = `${humanCount(this.points.length)} ${noun}${this.points.length === 1 ? "" : "s"}`;
    const facts = [{ sweep: "sweep", compare: "comparison", tune: "tuning" }[this.kind], this.study.variant && `variant ${this.study.variant}`, count, "intervals are 95 %"];
    const parts = [failed > 0 && `${humanCount(failed)} not as expected`, unsure > 0 && `${humanCount(unsure)} undecided`].filter(Boolean);
    const breaches = this.study.breaches ?? [];
    const best = this.kind === "tune" && this.points[Number(this.study.best)];
    const worst = best ? this.study.verdict : failed > 0 && this.kind === "sweep" ? "fail" : unsure > 0 ? "inconclusive" : "pass";
    const named = { fail: "Nothing keeps to all conditions; nearest: ", inconclusive: "Best, if it keeps to all conditions: " }[worst] ?? "Best: ";
    const verdict = best ? `${named}${Object.entries(best.factors).map(([path, text]) => `${this.short[path]} ${text}`).join(", ")}`
      : parts.length > 0 && this.kind !== "tune" ? `Of ${count}, ${parts.join(", ")}` : all.length > 0 && this.kind === "sweep" ? "All points are as expected" : null;
    return header(this.study.title, facts, [verdict && el("p", { class: `verdict ${VERDICTS[worst]?.[1] ?? "quiet"}` },
      el("span", { class: "sign" }, VERDICTS[worst]?.[0]), verdict),
    breaches.length > 0 && el("p", { class: "verdict bad" }, el("span", { class: "sign" }, "✗"), `${breaches.length} worse than the margin allows`)]);
  }

  // The setting that is best: what it keeps to, and how to use it.
  best() {
    const best = this.kind === "tune" && this.points[Number(this.study.best)];
    if (!best) return null;
    const { quantity, aim } = this.study.objective;
    const row = (name, found, condition, verdict) => {
      const [sign, mark] = VERDICTS[verdict] ?? ["", ""];
      return [{ ...words(verdict ?? ""), text: sign, mark }, words(name), withHalf(found, found?.unit), words(condition)];
    };
    const rows = [row(quantity, best.objective, aim ?? ""), ...(best.conditions ?? []).map((each) => row(each.quantity, each.measured, each.condition, each.verdict))];
    const flags = Object.entries(best.settings).map(([path, text]) => `--set ${path}=${/^[\w.:/%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`}`);
    return section("Best", null, table([{ name: "", title: "verdict" }, "quantity", "measured", "condition"], rows), el("p", {}, el("code", { class: "command" }, flags.join(" "))));
  }

  // Points as they are listed: of a tuning the best first, then those that stayed longest, as in the race.
  listed() {
    if (this.kind !== "tune") return this.points;
    const best = Number(this.study.best);
    const stayed = ({ dropped_after: dropped }) => numberOf(dropped) ?? Infinity;
    const score = ({ objective }) => (numberOf(objective?.value) ?? Infinity) * (this.study.objective.aim === "maximise" ? -1 : 1);
    const order = (one, other) => (one === other ? 0 : one < other ? -1 : 1);
    return this.points.map((point, place) => ({ point, place })).sort((a, b) => order(b.place === best, a.place === best)
      || order(stayed(b.point), stayed(a.point)) || order(numberOf(a.point.miss) ?? Infinity, numberOf(b.point.miss) ?? Infinity)
      || order(score(a.point), score(b.point)) || a.place - b.place).map(({ point }) => point);
  }

  explorer() {
    if (this.points.length === 0 || this.factors.length === 0 || this.quantities.length === 0) return null;
    const numeric = this.factors.filter((path) => this.levels[path].isNumeric);
    const varied = this.factors.filter((path) => this.levels[path].list.length > 1);
    const isSparse = this.kind === "tune";
    const many = (path) => this.levels[path].list.length;
    const most = (best, path) => (best === undefined || many(path) > many(best) ? path : best);
    const first = numeric.filter((path) => varied.includes(path)).reduce(most, undefined) ?? varied[0] ?? this.factors[0];
    const rest = varied.filter((path) => path !== first && (!isSparse || many(path) <= COLOURS.length));
    const by = (isSparse ? rest.find((path) => !this.levels[path].isNumeric) : null) ?? rest[0] ?? "";
    const state = { quantity: this.quantities[0], x: first, by, view: "lines", filters: {} };
    const stage = el("div", { class: "charts wide" });
    const controls = el("div", { class: "controls" });
    const choice = (name, list, value, pick) => el("label", {}, name, el("select", { onchange: (event) => { pick(event.target.value); update(); } },
      list.map(([id, text]) => el("option", { value: id, selected: id === value }, text))));
    const update = () => {
      if (state.by === state.x) state.by = "";
      if (state.by === "") state.view = "lines";
      const others = isSparse ? [] : varied.filter((path) => path !== state.x && path !== state.by);
      others.forEach((path) => { state.filters[path] ??= this.levels[path].list[0].text; });
      const paths = this.factors.map((path) => [path, this.short[path]]);
      controls.replaceChildren(
        choice("quantity", this.quantities.map((name) => [name, name]), state.quantity, (value) => { state.quantity = value; }),
        choice("across", paths, state.x, (value) => { state.x = value; }),
        ...(this.factors.length > 1 ? [choice("lines by", [["", "nothing"], ...paths.filter(([path]) => path !== state.x)], state.by, (value) => { state.by = value; })] : []),
        ...(state.by === "" || isSparse ? [] : [choice("as", [["lines", "lines"], ["map", "heat map"]], state.view, (value) => { state.view = value; })]),
        ...others.map((path) => choice(this.short[path], this.levels[path].list.map(({ text }) => [text, text]), state.filters[path], (value) => { state.filters[path] = value; })));
      const points = this.points.filter((point) => others.every((path) => point.factors[path] === state.filters[path]) && point.quantities?.[state.quantity]);
      stage.replaceChildren(...[state.view === "map" ? this.map(points, state) : this.lines(points, state, isSparse)].filter(Boolean));
    };
    update();
    return section("Explore", null, controls, stage);
  }

  unitOf(quantity) {
    return this.points.map((point) => point.quantities?.[quantity]?.unit).find((unit) => unit !== undefined) ?? "";
  }

  lines(points, { quantity, x, by }, isSparse) {
    const { list, isNumeric, unit, isLog } = this.levels[x];
    const at = new Map(list.map((level) => [level.text, level.at]));
    // Between what is no number there is nothing, so no line leads there.
    const isParted = isSparse || !isNumeric;
    const lines = by === "" ? [null] : this.levels[by].list.map(({ text }) => text);
    const series = lines.slice(0, 40).map((text, index) => ({
      name: text === null ? quantity : `${this.short[by]} ${text}`, dots: true, off: index >= 7, dash: index >= 7 ? "5 3" : null,
      points: points.filter((point) => text === null || point.factors[by] === text).map((point) => {
        const { value, low, high } = point.quantities[quantity];
        return [at.get(point.factors[x]), numberOf(value), numberOf(low), numberOf(high)];
      }).sort((a, b) => a[0] - b[0]).flatMap((point) => (isParted ? [[point[0], null], point] : [point])),
    }));
    const values = series.flatMap((one) => one.points.map(([, y]) => y)).filter((value) => value !== null);
    const spread = values.length > 0 && Math.min(...values) > 0 && Math.max(...values) > 30 * Math.min(...values);
    const unitOfY = this.unitOf(quantity);
    return chart({
      title: quantity, note: spread ? "log scale" : null, height: 360, series,
      x: { kind: isNumeric && isLog ? "log" : "linear", label: this.short[x], show: (value) => (UNITS[unit] ?? UNITS[""]).show(Number(value.toPrecision(10))), names: isNumeric ? null : list.map(({ text }) => text), ends: isNumeric ? null : [-0.4, list.length - 0.6] },
      y: { kind: spread ? "log" : "linear", fromZero: true, ...UNITS[unitOfY] },
    });
  }

  // A cell for each pair of values; the darker, the less.
  map(points, { quantity, x, by }) {
    const unit = this.unitOf(quantity);
    const values = points.map((point) => numberOf(point.quantities[quantity].value)).filter((value) => value !== null);
    if (values.length === 0) return null;
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const isLog = low > 0 && high > 30 * low;
    const share = (value) => (high === low ? 0.5 : isLog ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low));
    const find = (a, b) => points.find((point) => point.factors[x] === a && point.factors[by] === b)?.quantities[quantity];
    const square = (found) => {
      const value = numberOf(found?.value);
      if (value === null) return el("td", { class: "heat none" }, NOTHING);
      const part = share(value);
      return el("td", { class: "heat", "data-value": found.value, title: `${found.value}${found.low === null ? "" : `, ${found.low} to ${found.high}`}`, style: `background:${heat(part)};color:${part > 0.52 ? "#000" : "#fff"}` }, show(found.value, unit));
    };
    const columns = this.levels[x].list;
    return el("figure", { class: "chart" }, el("figcaption", {}, quantity, el("span", { class: "quiet" }, ` from ${show(String(low), unit)} (dark) to ${show(String(high), unit)} (light)${isLog ? ", log scale" : ""}`)),
      el("div", { class: "scroll" }, el("table", { class: "map" },
        el("thead", {}, el("tr", {}, el("th", {}, `${this.short[by]} ↓  ${this.short[x]} →`), columns.map(({ text }) => el("th", { scope: "col" }, text)))),
        el("tbody", {}, [...this.levels[by].list].reverse().map(({ text }) => el("tr", {}, el("th", { scope: "row" }, text), columns.map((column) => square(find(column.text, text)))))))));
  }

  table() {
    const judged = this.points.some((point) => (point.expectations ?? []).length > 0);
    const hasNotes = this.points.some((point) => point.note);
    const mark = (point) => {
      const worst = ["fail", "inconclusive", "pass"].find((verdict) => (point.expectations ?? []).some((each) => each.verdict === verdict));
      const told = (point.expectations ?? []).map((each) => `${VERDICTS[each.verdict][0]} ${each.quantity} ${each.condition}`).join("\n");
      return worst ? { ...words(worst), text: VERDICTS[worst][0], mark: VERDICTS[worst][1], title: told } : words("");
    };
    const head = [...this.factors.map((path) => ({ name: this.short[path], title: path })), "runs", ...this.quantities,
      ...(judged ? ["expected"] : []), ...(hasNotes ? ["note"] : []), "digest"];
    const rows = this.listed().map((point) => [
      ...this.factors.map((path) => {
        const level = this.levels[path].list.find(({ text }) => text === point.factors[path]);
        return { text: point.factors[path] ?? "", value: this.levels[path].isNumeric ? level?.at ?? null : point.factors[path] ?? null, isText: !this.levels[path].isNumeric };
      }),
      cell(point.runs ?? null, "count"), ...this.quantities.map((name) => withHalf(point.quantities?.[name], this.unitOf(name))),
      ...(judged ? [mark(point)] : []), ...(hasNotes ? [words(point.note ?? "")] : []), words(point.digest ?? "")]);
    return rows.length > 0 && section({ sweep: "Points", compare: "Sides", tune: "Settings" }[this.kind], null, table(head, rows));
  }

  // What differs from the base, quantity by quantity.
  differences() {
    if (this.kind !== "compare" || this.points.length < 2) return [];
    const [base, ...others] = this.points;
    return others.map((side) => {
      const rows = Object.entries(side.quantities).map(([quantity, found]) => {
        const unit = found.unit;
        const before = base.quantities[quantity];
        const difference = cell(found.difference ?? null, unit);
        const sign = difference.value > 0 ? "+" : "";
        const half = numberOf(found.half_width);
        const share = difference.value !== null && numberOf(before?.value) ? difference.value / Math.abs(numberOf(before.value)) : null;
        return [words(quantity), withHalf(before, unit), withHalf(found, unit),
          { ...difference, nodes: [sign + difference.text, half !== null && el("span", { class: "quiet" }, ` ± ${show(found.half_width, unit)}`)] },
          share === null ? { text: NOTHING, value: null } : { text: `${sign}${percent(share)}`, value: share, title: String(share) },
          verdictOf(found)];
      });
      return el("div", {}, el("h3", {}, `${side.name} against ${base.name}`),
        table(["quantity", base.name, side.name, "difference", { name: "relative", title: "share of the base's value" }, "verdict"], rows));
    });
  }

  effects() {
    const rows = Object.entries(this.study.effects ?? {}).flatMap(([quantity, list]) =>
      list.map((effect) => [words(quantity), words(effect.factor), cell(effect.share, "share")]));
    return rows.length > 0 && section("What matters", "Share of the variance between points.", table(["quantity", "factor", "share"], rows));
  }

  // What a comparison says of differences, or anything else that is a list of things with names.
  lists() {
    const known = new Set(["points", "sides", "candidates", "effects", "factors", "quantities"]);
    const lists = Object.entries(this.study).filter(([name, list]) => !known.has(name) && Array.isArray(list) && list.length > 0 && typeof list[0] === "object");
    return lists.map(([name, list]) => {
      const flat = list.map((each) => flattened(each));
      const keys = [...new Set(flat.flatMap((each) => Object.keys(each)))];
      return section(name[0].toUpperCase() + name.slice(1), null, table(keys, flat.map((each) => keys.map((key) => {
        const text = each[key] ?? "";
        return text !== "" && Number.isFinite(Number(text)) ? cell(text, each[key.replace(/[^.]*$/, "unit")] ?? "") : words(String(text));
      }))));
    });
  }

  parts() {
    const { runs } = this.study;
    const compared = this.kind === "compare";
    const differences = section("Differences", this.study.is_paired === true ? "Runs of the same index share their luck; intervals are 95 %." : "Intervals are 95 %.", this.differences());
    return [this.head(), this.best(), compared && differences, this.explorer(), this.effects(), !compared && this.table(), ...this.lists(), footer(this.study, [runs && `${runs} runs`], null, null, null)];
  }
}

// What a comparison says of a difference, and whether that is better.
function verdictOf({ verdict, better }) {
  const differs = verdict === "lower" || verdict === "higher";
  const told = { same: "the same", unseen: "no difference seen" }[verdict] ?? verdict ?? "";
  if (!differs || !["lower", "higher"].includes(better)) return words(told);
  return verdict === better ? { ...words(`${told}, better`), mark: "good" } : { ...words(`${told}, worse`), mark: "bad" };
}

// A value with half the width of its interval.
function withHalf(found, unit) {
  if (found?.is_infinite) return { text: "∞", value: Infinity, exact: "", title: "longer than any time" };
  const shown = cell(found?.value ?? null, unit);
  const [low, high] = [numberOf(found?.low), numberOf(found?.high)];
  if (shown.value === null || low === null || high === null) return shown;
  const half = show(String(Math.max(high - shown.value, shown.value - low)), unit);
  return { ...shown, nodes: [shown.text, el("span", { class: "quiet" }, ` ± ${half}`)], title: `${found.value}, ${found.low} to ${found.high}` };
}

function flattened(value, path = "") {
  if (value === null || typeof value !== "object") return { [path]: value };
  return Object.assign({}, ...Object.entries(value).map(([key, part]) => flattened(part, path ? `${path}.${key}` : key)));
}

// From little to much, of equal steps of lightness: after "cividis" (J. R. Nunez, C. R. Anderton and R. S. Renslow, 2018).
function heat(share) {
  const steps = [[0, 34, 78], [23, 58, 107], [60, 78, 108], [86, 100, 110], [112, 121, 116], [139, 143, 119], [170, 166, 112], [206, 192, 96], [254, 232, 56]];
  const place = Math.min(Math.max(share, 0), 1) * (steps.length - 1);
  const below = Math.min(Math.floor(place), steps.length - 2);
  const mix = steps[below].map((from, index) => Math.round(from + (steps[below + 1][index] - from) * (place - below)));
  return `rgb(${mix.join(",")})`;
}
