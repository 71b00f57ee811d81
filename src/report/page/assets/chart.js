// Line charts. A look at a place tells the values of all lines there; a drag zooms, a double click goes back.
//
// Series: { name, colour, width, dash, step, dots, off, points: [[x, y, low, high], …] }; a missing y parts a line. Charts of one `group`
// show the same part of their common axis.

const EDGE = { right: 14, top: 22, bottom: 38 };

// The height of a line of names above the data.
const NAMES = 13;

function group() {
  return { range: null, charts: new Set() };
}

class Chart {
  constructor(options) {
    Object.assign(this, { bands: [], group: group(), height: 250, ...options });
    this.series = options.series.filter((one) => one.points.some(([, y]) => y !== null));
    this.series.forEach((one, index) => { one.colour ??= COLOURS[index % COLOURS.length]; });
    this.width = 560;
    // Names of bands have up to two lines of their own, so that no data lies behind them.
    this.top = EDGE.top + NAMES * Math.min(2, new Set(this.bands.map((band) => band.name)).size);
    this.id = freshId("clip");
    this.canvas = el("div", { class: "canvas", tabindex: "0", role: "img", "aria-label": this.words(), onkeydown: (event) => this.key(event) });
    this.tip = el("div", { class: "tip", hidden: true });
    this.reset = el("button", { type: "button", class: "reset", hidden: true, onclick: () => this.zoom(null) }, "whole axis");
    this.legend = el("div", { class: "legend" }, this.series.map((one) => this.entry(one)));
    this.element = el("figure", { class: "chart" },
      el("figcaption", {}, this.title, this.note && el("span", { class: "quiet" }, ` ${this.note}`), this.reset),
      el("div", { class: "stage" }, this.canvas, this.tip), this.series.length > 1 && this.legend);
    this.group.charts.add(this);
    this.listen();
    new ResizeObserver(([{ contentRect }]) => {
      if (contentRect.width < 50 || Math.abs(contentRect.width - this.width) < 1) return;
      this.width = contentRect.width;
      requestAnimationFrame(() => this.draw());
    }).observe(this.canvas);
    this.draw();
  }

  words() {
    return `${this.title}: ${this.series.map((one) => one.name).join(", ")}. Arrow keys tell values, Escape shows the whole axis.`;
  }

  entry(one) {
    return el("button", {
      type: "button", "aria-pressed": String(!one.off),
      onclick: (event) => {
        one.off = !one.off;
        event.currentTarget.setAttribute("aria-pressed", String(!one.off));
        this.draw();
      },
    }, swatch(one.colour), one.name);
  }

  visible() {
    return this.series.filter((one) => !one.off);
  }

  zoom(range) {
    this.group.range = range;
    this.group.charts.forEach((chart) => chart.draw());
  }

  draw() {
    const shown = this.visible();
    const whole = this.x.ends ?? endsOf(this.x.kind, shown.flatMap((one) => one.points.map(([x]) => x)), false);
    const [low, high] = this.group.range ?? whole;
    const inside = shown.flatMap((one) => one.points.filter(([x]) => x >= low && x <= high));
    const values = inside.flatMap(([, y, from, to]) => [y, from, to]).filter((value) => value !== null && value !== undefined);
    const ends = this.y.ends ?? endsOf(this.y.kind, values, this.y.fromZero, this.y.most);
    const height = this.width < 420 ? this.height * 0.88 : this.height;
    const vertical = scale(this.y.kind, ends, [height - EDGE.bottom, this.top], 5);
    // Values that read the same are marked once.
    const labels = vertical.ticks.map((value) => [value, (this.y.tick ?? this.y.show)(value)]).filter(([, text], index, all) => text !== all[index - 1]?.[1]);
    const left = Math.max(34, ...labels.map(([, text]) => 12 + text.length * 6.6));
    const span = [left, this.width - EDGE.right];
    const horizontal = scale(this.x.kind, [low, high], span, Math.max(2, Math.floor((span[1] - span[0]) / 72)));
    this.axes = { horizontal, vertical, left, height };
    const inner = { x: left, y: this.top, width: Math.max(1, span[1] - left), height: height - EDGE.bottom - this.top };
    const marks = this.x.names
      ? this.x.names.map((name, index) => [index, name]).filter(([index]) => index >= low && index <= high)
      : horizontal.ticks.map((value) => [value, (this.x.tick ?? this.x.show)(value, high)]);
    // Labels that do not fit side by side are left out.
    let free = -Infinity;
    const room = (text, at) => {
      const half = text.length * 3.4 + 5;
      if (at - half < free) return false;
      free = at + half;
      return true;
    };
    const root = svg("svg", { viewBox: `0 0 ${this.width} ${height}`, width: this.width, height, "aria-hidden": "true" },
      svg("defs", {}, svg("clipPath", { id: this.id }, svg("rect", { x: inner.x - 2, y: inner.y - 4, width: inner.width + 4, height: inner.height + 6 }))),
      this.drawBands(horizontal, inner),
      labels.map(([value, text]) => {
        const y = vertical.place(value);
        return [svg("line", { class: "grid", x1: left, x2: span[1], y1: y, y2: y }), svg("text", { class: "tick left", x: left - 7, y: y + 4 }, text)];
      }),
      svg("line", { class: "axis", x1: left, x2: span[1], y1: height - EDGE.bottom, y2: height - EDGE.bottom }),
      marks.map(([value, text]) => {
        const x = horizontal.place(value);
        return [svg("line", { class: "axis", x1: x, x2: x, y1: height - EDGE.bottom, y2: height - EDGE.bottom + 4 }),
          room(text, x) && svg("text", { class: "tick", x: Math.min(x, this.width - text.length * 3.4), y: height - EDGE.bottom + 17 }, text)];
      }),
      this.y.label && svg("text", { class: "unit", x: 2, y: 11 }, this.y.label),
      this.x.label && svg("text", { class: "unit right", x: span[1], y: height - 4 }, this.x.label),
      svg("g", { "clip-path": `url(#${this.id})` }, shown.map((one) => this.drawSeries(one, horizontal, vertical))),
      svg("g", { class: "cursor" }));
    this.canvas.replaceChildren(root);
    this.cursor = root.lastElementChild;
    this.reset.hidden = this.group.range === null;
    this.hide();
  }

  drawBands(horizontal, inner) {
    const lanes = [...new Set(this.bands.map((band) => band.name))];
    const free = [-Infinity, -Infinity];
    const named = new Set();
    return this.bands.map((band) => {
      const from = Math.max(inner.x, horizontal.place(Math.max(band.from, horizontal.low)));
      const to = Math.min(inner.x + inner.width, horizontal.place(Math.min(band.to, horizontal.high)));
      if (band.from > horizontal.high || band.to < horizontal.low) return null;
      // Each name once, where there is room for it.
      const most = Math.max(8, Math.floor(inner.width / 6.2));
      const name = band.name.length > most ? `${band.name.slice(0, most - 1)}…` : band.name;
      const width = name.length * 6.2;
      const start = Math.max(inner.x, Math.min(from, inner.x + inner.width - width));
      const line = named.has(band.name) ? -1 : free.findIndex((end) => end + 8 < start);
      if (line >= 0) {
        named.add(band.name);
        free[line] = start + width;
      }
      return svg("g", { class: `band lane-${lanes.indexOf(band.name) % 4}` },
        svg("title", {}, band.name),
        svg("rect", { x: from, y: inner.y, width: Math.max(to - from, 1.5), height: inner.height }),
        line >= 0 && svg("text", { x: start, y: inner.y - 4 - line * NAMES }, name));
    });
  }

  drawSeries(one, horizontal, vertical) {
    let path = "";
    let last = null;
    const dots = [];
    const style = `stroke:${colour(one.colour)};fill:${colour(one.colour)}`;
    const isAlone = (index) => (one.points[index - 1]?.[1] ?? null) === null && (one.points[index + 1]?.[1] ?? null) === null;
    one.points.forEach(([x, y, low, high], index) => {
      if (y === null) {
        last = null;
        return;
      }
      // Nothing lies below every place of a log axis.
      const isBelow = this.y.kind === "log" && y <= 0;
      const [h, v] = [horizontal.place(x), isBelow ? this.axes.height : vertical.place(y)];
      if (last === null) path += `M${h.toFixed(1)},${v.toFixed(1)}`;
      else path += one.step ? `H${h.toFixed(1)}V${v.toFixed(1)}` : `L${h.toFixed(1)},${v.toFixed(1)}`;
      last = v;
      if (low !== null && low !== undefined && high !== null && high !== undefined) {
        const [a, b] = [vertical.place(low), vertical.place(high)];
        dots.push(svg("path", { class: "interval", style, d: `M${h - 3},${a}h6M${h - 3},${b}h6M${h},${a}V${b}` }));
      }
      if (one.dots || isAlone(index)) dots.push(svg("circle", { style, cx: h, cy: v, r: 3 }));
    });
    return [svg("path", { class: "line", style: `stroke:${colour(one.colour)};stroke-width:${one.width ?? 1.7}`, "stroke-dasharray": one.dash, d: path || "M0,0" }), dots];
  }

  // The point of a line that is nearest to a place; of steps, the one that holds there.
  nearest(one, x) {
    let best = null;
    for (const point of one.points) {
      if (point[1] === null) continue;
      if (one.step ? point[0] <= x : best === null || Math.abs(point[0] - x) < Math.abs(best[0] - x)) best = point;
    }
    return best;
  }

  // Tells the values at a place.
  look(x, isBetween) {
    const { horizontal, vertical, left, height } = this.axes;
    const near = this.visible().map((one) => [one, this.nearest(one, x)]).filter(([, point]) => point !== null);
    if (near.length === 0) return;
    const snapped = isBetween ? x : near.map(([, point]) => point[0]).reduce((a, b) => (Math.abs(a - x) <= Math.abs(b - x) ? a : b));
    const at = horizontal.place(snapped);
    this.cursor.replaceChildren(svg("line", { x1: at, x2: at, y1: this.top, y2: height - EDGE.bottom }),
      ...near.filter(([, point]) => this.y.kind !== "log" || point[1] > 0).map(([one, point]) =>
        svg("circle", { cx: one.step ? at : horizontal.place(point[0]), cy: vertical.place(point[1]), r: 3.5, style: `fill:${colour(one.colour)}` })));
    const interval = ([, , low, high]) => (low === null || low === undefined ? "" : ` (${this.y.show(low)} to ${this.y.show(high)})`);
    this.tip.replaceChildren(el("div", { class: "where" }, this.x.names ? this.x.names[Math.round(snapped)] ?? "" : this.x.show(snapped)),
      ...near.map(([one, point]) => el("div", {}, swatch(one.colour), one.name, el("b", {}, this.y.show(point[1]) + interval(point)))));
    this.tip.hidden = false;
    const width = this.tip.offsetWidth;
    this.tip.style.left = `${at + 14 + width > this.width ? Math.max(0, at - width - 14) : at + 14}px`;
    this.tip.style.top = `${this.top}px`;
    this.place = snapped;
    this.isLow = left;
  }

  hide() {
    this.tip.hidden = true;
    this.cursor?.replaceChildren();
  }

  key(event) {
    const points = [...new Set(this.visible().flatMap((one) => one.points.map(([x]) => x)))].sort((a, b) => a - b);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step !== undefined && points.length > 0) {
      event.preventDefault();
      const here = points.findIndex((x) => x >= (this.place ?? points[0]));
      this.look(points[Math.min(points.length - 1, Math.max(0, (here < 0 ? points.length - 1 : here) + (this.place === undefined ? 0 : step)))], false);
    } else if (event.key === "Escape") {
      this.zoom(null);
    }
  }

  listen() {
    const x = (event) => event.clientX - this.canvas.getBoundingClientRect().left;
    let start = null;
    this.canvas.addEventListener("pointermove", (event) => {
      const { horizontal, left, height } = this.axes;
      const at = Math.min(Math.max(x(event), left), this.width - EDGE.right);
      this.look(horizontal.invert(at), false);
      if (start !== null && event.buttons !== 0) {
        this.cursor.append(svg("rect", { class: "drag", x: Math.min(start, at), y: this.top, width: Math.abs(at - start), height: height - this.top - EDGE.bottom }));
      }
    });
    this.canvas.addEventListener("pointerdown", (event) => {
      start = event.pointerType === "touch" || event.button !== 0 ? null : Math.max(x(event), this.axes.left);
    });
    this.canvas.addEventListener("pointerup", (event) => {
      const end = Math.min(x(event), this.width - EDGE.right);
      if (start !== null && Math.abs(end - start) > 8) {
        const ends = [start, end].map((at) => this.axes.horizontal.invert(at)).sort((a, b) => a - b);
        this.zoom(ends);
      }
      start = null;
    });
    this.canvas.addEventListener("pointerleave", () => {
      start = null;
      this.hide();
    });
    this.canvas.addEventListener("dblclick", () => this.zoom(null));
    this.canvas.addEventListener("blur", () => this.hide());
  }
}

function chart(options) {
  const made = new Chart(options);
  return made.series.length === 0 ? null : made.element;
}

// The axis of simulated time.
// Along an axis of ten minutes and more all marks are of minutes or hours.
const SECONDS = {
  kind: "seconds", show: (value) => humanTime(Math.round(value * 1e9)), label: "simulated time",
  tick: (value, high) => (high >= 600 && value > 0 ? scaled(Math.round(value * 1e9), TIMES, "") : SECONDS.show(value)),
};
