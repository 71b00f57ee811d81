// The page of a run: what its tables say, in the order in which people ask.

const STANDARD = new Set([
  "offered", "sent", "goodput", "processed", "reliability", "received", ...Object.keys(FATES), "attempts", "copies",
  "duplicates", "repeated", "latency", "latency-all", "latency-from-send", "latency-one-way", "confirmed-lost",
]);

const VERDICTS = { pass: ["✓", "good"], fail: ["✗", "bad"], inconclusive: ["?", "unsure"] };

// What parts of a latency are drawn in; work, queues and disks have the colours that they have in the pictures of stories.
const PART_COLOURS = { work: "blue", queue: "orange", link: "green", disk: "purple", "failed-attempt": "vermilion", "back-off": "black" };
const OTHER_COLOURS = ["yellow", "sky"];

// So many lines of a chart are on at first.
const LINES_ON = 5;

class RunPage {
  constructor(tables) {
    this.summary = tables.summary;
    this.total = tables.summary.total;
    this.tables = {};
    for (const [name, table] of Object.entries(tables)) {
      if (name.endsWith(".csv")) this.tables[name] = new Columns(table);
    }
    this.stories = tables["stories.json"];
    this.scenario = tables["scenario.toml"] ?? "";
    this.flows = [...(this.total.flows ?? [])].sort((a, b) => Number(isInner(a)) - Number(isInner(b)));
    this.time = group();
    this.bands = (this.total.faults ?? []).flatMap((fault) => (fault.strikes ?? []).map((strike) => ({
      name: fault.name, from: numberOf(strike.from_ns) / 1e9, to: numberOf(strike.to_ns) === null ? Infinity : numberOf(strike.to_ns) / 1e9,
    })).filter((band) => Number.isFinite(band.from)));
    const [first] = this.summary.runs ?? [];
    this.runs = numberOf(this.summary.runs_played) ?? Math.max(1, (this.summary.runs ?? []).length);
    this.measuredFrom = first ? numberOf(first.measured_from_ns) / 1e9 : 0;
    const ends = (this.summary.runs ?? []).map((run) => numberOf(run.end_ns) / 1e9).filter(Number.isFinite);
    this.playedTo = ends.length > 0 ? Math.min(...ends) : Infinity;
    this.measuredTo = first ? numberOf(first.measured_to_ns) / 1e9 : 0;
  }

  head() {
    const counts = { pass: 0, fail: 0, inconclusive: 0 };
    (this.summary.expectations ?? []).forEach((each) => { counts[each.verdict] += 1; });
    const all = counts.pass + counts.fail + counts.inconclusive;
    const worst = counts.fail > 0 ? "fail" : counts.inconclusive > 0 ? "inconclusive" : "pass";
    const parts = [counts.fail > 0 && `${counts.fail} failed`, counts.inconclusive > 0 && `${counts.inconclusive} undecided`].filter(Boolean);
    const line = all === 0 ? "Nothing is expected of it" : parts.length === 0
      ? ["", "The expectation holds", "Both expectations hold"][all] ?? `All ${all} expectations hold` : `Of ${all} expectation${all === 1 ? "" : "s"}: ${parts.join(", ")}`;
    const measured = this.runs === 1 ? "1 run" : `${humanCount(this.runs)} runs`;
    const facts = [this.summary.variant && `variant ${this.summary.variant}`, measured,
      this.measuredTo > 0 && `measured from ${SECONDS.show(this.measuredFrom)} to ${SECONDS.show(this.measuredTo)}`, `seed ${this.summary.seed}`];
    return header(this.summary.title, facts, el("p", { class: `verdict ${all === 0 ? "quiet" : VERDICTS[worst][1]}` },
      all > 0 && el("span", { class: "sign" }, VERDICTS[worst][0]), line));
  }

  expectations() {
    const rows = (this.summary.expectations ?? []).map((each) => {
      const [sign, mark] = VERDICTS[each.verdict] ?? ["?", "unsure"];
      const unit = each.unit;
      // A time that a verdict is about, and that is no number, is longer than any.
      const isEndless = each.value === null && unit === "ns" && each.verdict !== "inconclusive";
      const basis = each.basis === "value" ? "" : ` of ${each.sample} ${each.basis}`;
      const ends = each.low === null ? words(NOTHING) : {
        text: intervalOf(each.low, each.high, unit), value: numberOf(each.low), exact: `${each.low} ${each.high}`,
        title: `${each.low} to ${each.high}${basis}`,
      };
      return [{ ...words(each.verdict), text: sign, mark, title: each.verdict }, { ...words(each.quantity), mark: "quantity" }, { ...words(each.condition), mark: "brief" },
        isEndless ? { text: "∞", value: Infinity, exact: "", title: "longer than any time" } : cell(each.value, unit), ends, { ...words(each.judged_by + (each.judged_by === "interval" ? basis : "")) }, words(each.note ?? "")];
    });
    const hasNotes = (this.summary.expectations ?? []).some((each) => each.note);
    const head = [{ name: "", title: "verdict" }, "quantity", "expected", "measured", "95 % interval", "judged by", "note"];
    const kept = hasNotes ? head.length : head.length - 1;
    return rows.length > 0 && section("Expectations", null, table(head.slice(0, kept), rows.map((row) => row.slice(0, kept)), { caption: "expectations" }));
  }

  warnings() {
    const list = this.summary.warnings ?? [];
    return list.length > 0 && section("Warnings", null, el("ul", { class: "warnings" }, list.map((text) => el("li", {}, text))));
  }

  flowsSection() {
    const timeline = this.tables["timeline.csv"];
    const drawn = new Set(timeline ? timeline.distinct("flow") : []);
    const shown = this.flows.filter((flow) => drawn.has(flow.name)).slice(0, 40);
    const entries = shown.map((flow) => [flow.name, () => this.flow(flow)]);
    const tabbed = entries.length > 0 && tabs("flows", entries);
    const value = (flow, metric, key) => cell(flow.metrics[metric]?.[key] ?? null, statisticOf(key).unit);
    const overview = this.flows.length > 1 && table(
      ["flow", "offered", "goodput", "reliability", "p50", "p99", "p99.9", { name: "attempts", title: "per message" }],
      this.flows.map((flow) => [words(flow.name), value(flow, "offered", "rate_per_s"), value(flow, "goodput", "rate_per_s"),
        value(flow, "reliability", "share"), ...["p50_ns", "p99_ns", "p99.9_ns"].map((key) => value(flow, latencyOf(flow), key)), value(flow, "attempts", "mean")]),
      { caption: "flows", onrow: (row) => row < entries.length && tabbed.choose(row, false) });
    const rest = this.flows.length - shown.length;
    const silent = Number(this.summary.left_out ?? 0);
    return section(this.flows.length > 1 ? "Flows" : "Messages", null, overview,
      rest > 0 && el("p", { class: "note" }, `Charts are of the first ${shown.length} flows; the tables have the other ${humanCount(rest)}.`),
      silent > 0 && el("p", { class: "note" }, `${humanCount(silent)} flows, stations, links and the like are not on this page; summary.json has them all.`),
      tabbed && tabbed.element);
  }

  flow(flow) {
    const get = (metric, key) => flow.metrics[metric]?.[key] ?? null;
    const fact = (name, text, unit, below) => el("div", { class: "fact" }, el("dt", {}, name),
      el("dd", { "data-value": text, title: text }, show(text, unit)), below && el("dd", { class: "below" }, below));
    const latency = latencyOf(flow);
    const named = latency === "latency" ? "latency" : "one-way";
    const ends = get("reliability", "low") === null ? "" : intervalOf(get("reliability", "low"), get("reliability", "high"), "share");
    const facts = el("dl", { class: "facts" },
      fact("offered", get("offered", "rate_per_s"), "per_s", `${show(get("offered", "count"), "count")} messages`),
      fact("goodput", get("goodput", "rate_per_s"), "per_s", `sent ${show(get("sent", "rate_per_s"), "per_s")}`),
      fact("reliability", get("reliability", "share"), "share", ends),
      fact("received", get("received", "share"), "share", `confirmed ${show(get("confirmed", "share"), "share")}`),
      fact(`${named} p50`, get(latency, "p50_ns"), "ns", `mean ${show(get(latency, "mean_ns"), "ns")}`),
      fact(`${named} p99`, get(latency, "p99_ns"), "ns", `p99.9 ${show(get(latency, "p99.9_ns"), "ns")}`),
      fact("attempts", get("attempts", "mean"), "", "per message"),
      fact("duplicates", get("duplicates", "mean"), "", "per message"));
    const charts = el("div", { class: "charts" }, this.throughput(flow), this.latencyOverTime(flow), ...this.distribution(flow));
    return [facts, this.fates(flow), charts, this.percentiles(flow), this.allNumbers(flow)];
  }

  fates(flow) {
    const parts = Object.entries(FATES).map(([name, tone]) => {
      const found = flow.metrics[name] ?? {};
      return { name, colour: tone, share: numberOf(found.share) ?? 0, text: show(found.share, "share"), count: found.count, exact: found.share };
    }).filter((part) => part.share > 0);
    if (parts.length === 0) return null;
    const entry = (part) => el("li", { title: `${part.count} messages, ${part.exact}`, "data-value": part.exact },
      swatch(part.colour), part.name, el("b", {}, part.text), el("span", { class: "quiet" }, humanCount(part.count)));
    return el("div", { class: "fates" }, el("h3", {}, "What became of the messages"), stack("fates", parts), el("ul", { class: "keys" }, parts.map(entry)));
  }

  // The middles of steps that are measured, and values in them. A step in which the run ends looks like a fall to nothing.
  steps(table, rows, value, isOver) {
    return rows.filter((row) => {
      const start = table.number("start_s", row);
      const isWhole = start + table.number("step_s", row) <= this.playedTo + 1e-9;
      if (!isWhole && start >= this.measuredTo - 1e-9) return false;
      return start >= this.measuredFrom - 1e-9 && (!isOver || this.measuredTo === 0 || start < this.measuredTo - 1e-9);
    }).map((row) => [table.number("start_s", row) + table.number("step_s", row) / 2, value(row)]);
  }

  throughput(flow) {
    const table = this.tables["timeline.csv"];
    if (!table) return null;
    const rows = table.rows({ flow: flow.name });
    const rate = (name) => (row) => {
      const count = table.number(name, row);
      return count === null ? null : count / this.runs / table.number("step_s", row);
    };
    const sum = (name) => rows.reduce((all, row) => all + (table.number(name, row) ?? 0), 0);
    const series = [
      { name: "offered", colour: "grey", width: 4.5, points: this.steps(table, rows, rate("offered"), true) },
      { name: "sent, retries included", colour: "orange", points: this.steps(table, rows, rate("sent"), false) },
      { name: "goodput", colour: "blue", points: this.steps(table, rows, rate("goodput"), false) },
    ];
    if (sum("processed") > 1.01 * sum("goodput")) {
      series.splice(2, 0, { name: "processed", colour: "sky", points: this.steps(table, rows, rate("processed"), false) });
    }
    return chart({
      title: "Throughput over time", x: SECONDS, y: { kind: "linear", fromZero: true, ...UNITS.per_s, label: "messages per second" },
      series, bands: this.bands, group: this.time,
    });
  }

  latencyOverTime(flow) {
    const table = this.tables["timeline.csv"];
    if (!table) return null;
    const rows = table.rows({ flow: flow.name });
    const colours = { p50: "blue", p90: "green", p95: "purple", p99: "vermilion", "p99.9": "orange", max: "black" };
    const known = Object.keys(colours).filter((name) => table.has(`latency_${name}_ns`));
    const series = known.map((name) => ({
      name, colour: colours[name], off: name === "max" || name === "p95",
      points: this.steps(table, rows, (row) => table.number(`latency_${name}_ns`, row), true),
    }));
    return chart({
      title: "Latency over time", note: "of messages due then, until confirmed", x: SECONDS,
      y: { kind: "log", show: humanTime, label: "log scale" }, series, bands: this.bands, group: this.time,
    });
  }

  distribution(flow) {
    const table = this.tables["latency.csv"];
    if (!table) return [];
    const kinds = [["latency", "blue", null], ["latency-all", "vermilion", "6 3"], ["latency-one-way", "green", null], ["latency-from-send", "purple", "2 3"]];
    const points = (metric) => table.rows({ flow: flow.name, metric, point: "cdf" })
      .map((row) => [table.number("latency_ns", row), table.number("share", row)]).filter(([at]) => at !== null && at > 0);
    const both = kinds.map(([name, colour, dash]) => ({ name, colour, dash, points: points(name) })).filter((one) => one.points.length > 0);
    const [base] = both;
    const same = (one) => one !== base && JSON.stringify(one.points) === JSON.stringify(base.points);
    const lines = both.filter((one) => !same(one)).map((one) => ({ ...one, off: one !== base && one.name !== "latency-all", step: one.points.length < 40 }));
    // Before its first point nobody is that fast.
    const from = (one, start) => [[one.points[0][0], start], ...one.points];
    const joint = group();
    const time = { kind: "log", show: humanTime, label: "latency, log scale" };
    const what = lines[0]?.name === "latency-one-way" ? "one-way latency" : "latency";
    const tail = (share) => (1 - share > 1e-12 ? 1 - share : 0);
    return [
      chart({
        title: `Distribution of ${what}`, note: "share of messages not slower", x: time, group: joint,
        y: { kind: "linear", fromZero: true, ends: [0, 1.03], ...UNITS.share },
        series: lines.map((one) => ({ ...one, points: from(one, 0) })),
      }),
      chart({
        title: `Tail of ${what}`, note: "share of messages slower, both axes log", x: time, group: joint,
        y: { kind: "log", most: 1.06, ...UNITS.share },
        series: lines.map((one) => ({ ...one, points: from(one, 0).map(([at, share]) => [at, tail(share)]) })),
      }),
    ];
  }

  percentiles(flow) {
    const kinds = { latency: "until confirmed", "latency-all": "unconfirmed ones slower than any", "latency-from-send": "from the actual send", "latency-one-way": "until received" };
    const keys = ["count", "mean_ns", "sd_ns", "min_ns", "p50_ns", "p90_ns", "p95_ns", "p99_ns", "p99.9_ns", "p99.99_ns", "max_ns"];
    const rows = Object.keys(kinds).filter((name) => numberOf(flow.metrics[name]?.count) > 0).map((name) => [
      { ...words(name), title: kinds[name] }, ...keys.map((key) => {
        const text = flow.metrics[name][key];
        return text === null && name === "latency-all" ? { text: "∞", value: Infinity, exact: "", title: "among messages never confirmed" } : cell(text, statisticOf(key).unit);
      })]);
    return rows.length > 0 && [el("h3", {}, "Percentiles"), table(["latency", ...keys.map((key) => statisticOf(key).name)], rows, { caption: "percentiles" })];
  }

  allNumbers(flow) {
    const rows = Object.entries(flow.metrics).flatMap(([metric, statistics]) => Object.entries(statistics).map(([key, text]) =>
      [words(metric), words(statisticOf(key).name), cell(text, statisticOf(key).unit), words(text ?? "")]));
    return el("details", { class: "screen" }, el("summary", {}, "All numbers"), table(["metric", "statistic", "value", "exactly"], rows));
  }

  // Phases at places, as bars; the row of a point that is called latency is the whole.
  attribution() {
    const table = this.tables["attribution.csv"];
    if (!table || table.length === 0) return null;
    const flows = table.distinct("flow").sort((a, b) => Number(a.includes("->")) - Number(b.includes("->")));
    const name = (row) => [table.at("phase", row), table.at("place", row)].filter(Boolean).join(" · ");
    const isWhole = (row) => table.at("phase", row) === "latency";
    const body = (flow) => {
      const rows = table.rows({ flow });
      const most = new Map();
      rows.filter((row) => !isWhole(row)).forEach((row) => most.set(name(row), Math.max(most.get(name(row)) ?? 0, table.number("share", row) ?? 0)));
      // The largest have a colour of their own, and stand in the same order in each bar.
      const tones = [...new Set([...Object.values(PART_COLOURS), ...OTHER_COLOURS])];
      const ranked = [...most].filter(([, share]) => share > 0).sort((a, b) => b[1] - a[1]).map(([part]) => part);
      const tone = new Map();
      const free = new Set(tones);
      const paint = (part, colour) => {
        free.delete(colour);
        tone.set(part, colour);
      };
      // Where a kind of part is there once, it has its colour; further places take what is left.
      ranked.slice(0, tones.length).forEach((part) => {
        const own = PART_COLOURS[part.split(" · ")[0]];
        if (free.has(own)) paint(part, own);
      });
      ranked.forEach((part) => tone.has(part) || paint(part, [...free].at(-1) ?? "grey"));
      const bar = (point) => {
        const here = rows.filter((row) => table.at("point", row) === point);
        const whole = here.find(isWhole);
        const parts = here.filter((row) => tone.has(name(row))).map((row) => ({
          name: name(row), share: table.number("share", row) ?? 0, colour: tone.get(name(row)),
          text: `${show(table.at("time_ns", row), "ns")}, ${show(table.at("share", row), "share")}`,
        })).sort((a, b) => ranked.indexOf(a.name) - ranked.indexOf(b.name));
        const time = whole === undefined ? "" : show(table.at("time_ns", whole), "ns");
        return el("div", { class: "row" }, el("span", { class: "label" }, point), stack(point, parts),
          el("span", { class: "whole", title: whole === undefined ? null : `${table.at("time_ns", whole)} ns, ${table.at("messages", whole)} messages` }, time));
      };
      const points = [...new Set(rows.map((row) => table.at("point", row)))];
      const keys = ranked.slice(0, tones.length).map((part) => el("li", {}, swatch(tone.get(part)), part));
      const rest = ranked.length - keys.length;
      return [el("div", { class: "bars" }, points.map(bar)), el("ul", { class: "keys" }, keys, rest > 0 && el("li", {}, swatch("grey"), `${rest} others`))];
    };
    const oneIn = table.number("one_in", 0);
    const sample = oneIn > 1 ? ` Of the first run, one message in ${humanCount(oneIn)}.` : "";
    return section("What latency is made of", `Where the time went of messages around the mean and around percentiles.${sample}`,
      tabs("flows", flows.slice(0, 40).map((flow) => [flow, () => body(flow)])).element,
      el("details", { class: "screen" }, el("summary", {}, "As a table"), generic(table, { time_ns: "ns", share: "share", messages: "count" })));
  }

  lost() {
    const lost = this.tables["lost.csv"];
    if (!lost) return null;
    const text = (name, row) => words(lost.at(name, row));
    const isOfClient = (row) => !lost.at("flow", row).includes("->");
    const rows = Array.from({ length: lost.length }, (_, row) => row).sort((a, b) => Number(isOfClient(b)) - Number(isOfClient(a)) || a - b);
    const left = lost.leftOut > 0 && el("p", { class: "note" }, `${humanCount(lost.leftOut)} more rows are in the table itself.`);
    return rows.length > 0 && section("What went wrong", "Messages that did not end well, and the last thing that happened to each.",
      table(["flow", "fate", "count", "share", "what happened last", "cause"], rows.map((row) => [text("flow", row), text("fate", row),
        cell(lost.at("count", row), "count"), cell(lost.at("share", row), "share"), text("meaning", row), text("cause", row)])), left);
  }

  storiesSection() {
    const list = this.stories?.stories ?? [];
    const bar = (each) => {
      const whole = numberOf(each.latency_ns);
      const parts = (each.parts ?? []).map((part, index) => ({
        name: `${part.part} · ${part.place}`, share: numberOf(part.time_ns) / whole, colour: PART_COLOURS[part.part] ?? OTHER_COLOURS[index % OTHER_COLOURS.length], text: show(part.time_ns, "ns"), exact: part.time_ns,
      })).filter((part) => part.share > 0);
      return parts.length > 0 && [stack("where the time went", parts), el("ul", { class: "keys" }, parts.map((part) =>
        el("li", { "data-value": part.exact, title: `${part.exact} ns` }, swatch(part.colour), part.name, el("b", {}, part.text))))];
    };
    const story = (each, index) => el("details", { class: "story", open: index === 0 },
      el("summary", {}, el("b", {}, each.title), each.why && el("span", { class: "quiet" }, ` ${each.why}`)), bar(each),
      each.svg && el("div", { class: "scroll" }, el("img", { alt: each.title, src: `data:image/svg+xml;charset=utf-8,${encodeURIComponent(each.svg)}` })),
      each.text && el("details", { open: !each.svg }, el("summary", {}, "In words"), el("pre", {}, each.text)));
    return list.length > 0 && section("Stories of single messages", this.stories.rule, list.map(story));
  }

  stations() {
    const list = this.total.stations ?? [];
    const kept = new Set(["nodes", "workers", "arrived", "served", "failed", "rejected", "expired", "cancelled", "discarded", "busy", "waiting"]);
    const rows = list.map((each) => ({ name: each.name, metrics: inBrief(each.metrics, kept) }));
    const others = metricsTable(list, "station", (metric) => !kept.has(metric) && !["wait", "work", "residence"].includes(metric));
    return list.length > 0 && section("Stations", "Who handles requests: busy is the share of workers at work, wait the time before work.",
      metricsTable(rows, "station", null, true), this.utilisation(), others && el("details", {}, el("summary", {}, "More about stations"), others));
  }

  utilisation() {
    const table = this.tables["utilisation.csv"];
    if (!table) return null;
    const names = table.distinct("station").slice(0, 40);
    const line = (value) => names.map((station, index) => ({ name: station, off: index >= LINES_ON, points: this.steps(table, table.rows({ station }), value, false) }));
    const busy = (row) => {
      const workers = table.number("workers", row);
      return workers > 0 ? (table.number("busy", row) ?? 0) / workers : null;
    };
    const endless = names.filter((station) => table.rows({ station }).every((row) => !(table.number("workers", row) > 0)));
    const unlimited = line((row) => table.number("busy", row)).filter((one) => endless.includes(one.name));
    const over = (title, y, series) => chart({ title, x: SECONDS, y, series, bands: this.bands, group: this.time });
    const share = { kind: "linear", fromZero: true, ...UNITS.share, label: "of all workers" };
    const plain = (label) => ({ kind: "linear", fromZero: true, show: (value) => scaled(value, SIZES, ""), label });
    const waits = line((row) => table.number("waiting", row)).filter((one) => one.points.some(([, y]) => y > 0));
    return el("div", { class: "charts" }, over("Workers busy", share, line(busy)), over("Requests waiting", plain("on average"), waits),
      over("Requests at work where workers are not limited", plain("on average"), unlimited));
  }

  queues() {
    const { queues = [], topics = [], readers = [] } = this.total;
    const table = this.tables["depth.csv"];
    const lines = table ? table.distinct("name").flatMap((name) => table.distinct("metric").map((metric) => ({
      name: `${name} ${metric}`, points: this.steps(table, table.rows({ name, metric }), (row) => table.number("mean", row), false),
    }))).filter((one) => one.points.length > 0).slice(0, 40).map((one, index) => ({ ...one, off: index >= LINES_ON })) : [];
    const depth = lines.length > 0 && el("div", { class: "charts" }, chart({
      title: "What waits over time", x: SECONDS, series: lines, bands: this.bands, group: this.time,
      y: { kind: "linear", fromZero: true, show: (value) => scaled(value, SIZES, ""), label: "messages, mean of each step" },
    }));
    return section(queues.length > 0 ? "Queues" : "Topics", null, metricsTable(queues, "queue"), metricsTable(topics, "topic"), metricsTable(readers, "group that reads"), depth);
  }

  links() {
    return section("Links", null, metricsTable(this.total.links ?? [], "link"));
  }

  guards() {
    const rows = this.flows.flatMap((flow) => Object.entries(flow.metrics)
      .filter(([metric, found]) => !STANDARD.has(metric) && !metric.includes(" after ") && "rate_per_s" in found)
      .map(([metric, found]) => [words(flow.name), words(metric), cell(found.count, "count"), cell(found.rate_per_s, "per_s")]));
    return rows.length > 0 && section("Guards and losses", "What policies and brokers did while it was measured; `rehearsal explain NAME` tells more.",
      table(["flow", "what", "times", "per second"], rows));
  }

  faults() {
    const list = this.total.faults ?? [];
    const when = (fault) => (fault.strikes ?? []).map((strike) => `${show(strike.from_ns, "ns")} – ${numberOf(strike.to_ns) === null ? "…" : show(strike.to_ns, "ns")}`).join(", ");
    const touched = (fault, metric) => cell(fault.metrics[metric]?.count ?? null, "count");
    const hasTimes = list.some((fault) => when(fault) !== "");
    const head = ["fault", "kind", ...(hasTimes ? ["when"] : []), "strikes", "nodes", { name: "messages", title: "messages touched" }, { name: "timers", title: "timers touched" }];
    const rows = list.map((fault) => [words(fault.name), words(fault.kind), ...(hasTimes ? [words(when(fault))] : []), touched(fault, "strikes"),
      touched(fault, "touched-nodes"), touched(fault, "touched-messages"), touched(fault, "touched-timers")]);
    const after = list.flatMap((fault) => this.flows.filter((flow) => `recovery after ${fault.name}` in flow.metrics).map((flow) => {
      const mean = (what, key) => flow.metrics[`${what} after ${fault.name}`]?.[key] ?? null;
      return [words(fault.name), words(flow.name), cell(mean("detect", "mean_ns"), "ns"), cell(mean("failover", "mean_ns"), "ns"),
        cell(mean("recovery", "mean_ns"), "ns"), cell(mean("goodput-lost", "mean"), "")];
    }));
    return list.length > 0 && section("Faults", null, table(head, rows), after.length > 0 && [el("h3", {}, "What followed"),
      el("p", { class: "about" }, "A mean over all strikes: until noticed, got around, and, once healed, as before."),
      table(["fault", "flow", "detect", "failover", "recovery", { name: "goodput lost", title: "messages" }], after)]);
  }

  theory() {
    const table = this.tables["theory.csv"];
    return table && table.length > 0 && section("Theory beside measurement", null, theoryTable(table));
  }

  system() {
    const drawing = document.getElementById("diagram").content.cloneNode(true);
    const text = this.scenario && el("details", {}, el("summary", {}, "The scenario, resolved"), el("pre", { class: "toml" }, highlighted(this.scenario)));
    const hasOneWay = drawing.querySelector(".way:not(.call)") !== null;
    return section("System", hasOneWay && "Solid lines are calls, which are answered; dashed ones lead one way. Rates are of messages offered.", drawing.childNodes.length > 0 && el("div", {}, drawing), text);
  }

  foot() {
    const runs = this.summary.runs ?? [];
    const one = runs.length === 1 && (runs[0].run !== "0" || /^runs = (?!1$)/m.test(this.scenario)) ? ` --run ${runs[0].run}` : "";
    const list = runs.length > 1 && el("details", {}, el("summary", {}, "The runs"),
      table(["run", "seed", "measured from", "to", "end", "digest"], runs.map((run) => [cell(run.run, "count"), words(run.seed),
        cell(run.measured_from_ns, "ns"), cell(run.measured_to_ns, "ns"), cell(run.end_ns, "ns"), words(run.digest)])));
    const simulated = show(this.total.system?.simulated?.sum_ns, "ns");
    return footer(this.summary, [this.runs === 1 ? "1 run" : `${humanCount(this.runs)} runs`, `${simulated} simulated`,
      `${show(this.total.system?.events?.count, "")} events`], `rehearsal run scenario.toml${one}`,
    "beside this page, with the scenario.toml that lies here, plays all of it again, with the same digest.", list);
  }

  parts() {
    return [this.head(), this.expectations(), this.warnings(), this.flowsSection(), this.attribution(), this.lost(), this.storiesSection(),
      this.stations(), this.queues(), this.links(), this.guards(), this.faults(), this.theory(), this.system(), this.foot()];
  }
}

// The latency that people ask for: until confirmed, and where nothing is, until received.
function latencyOf(flow) {
  return numberOf(flow.metrics.latency?.count) > 0 || !(numberOf(flow.metrics["latency-one-way"]?.count) > 0) ? "latency" : "latency-one-way";
}

function isInner(flow) {
  return flow.name.includes("->");
}

// Of a station: of each distribution its mean and a high percentile, of everything else what is asked for.
function inBrief(metrics, kept) {
  const short = {};
  for (const [name, statistics] of Object.entries(metrics)) {
    if (kept.has(name)) short[name] = name === "busy" ? { share: statistics.share } : statistics;
    else if (["wait", "work", "residence"].includes(name)) short[name] = { mean_ns: statistics.mean_ns, p99_ns: statistics.p99_ns };
  }
  return short;
}
