// Quality against cost: every point of a group of points that compare, the line of those that nothing dominates, the
// hypervolume of each policy. What dominates and how large hypervolumes are comes with the data; here it is drawn.

class TradeOffPlot {
  constructor(section) {
    const {metrics, groups, points} = app.data;
    const has = metric => points.some(point => !point.full && Number.isFinite(point.y[metric].value));
    this.metrics = metrics.map((_, i) => i).filter(has);
    if (this.metrics.length === 0) return;
    [this.group, this.axis, this.metric] = [0, 0, this.metrics[0]];
    this.largest = groups.reduce((best, group, i) => group.points.length > groups[best].points.length ? i : best, 0);
    this.group = this.largest;
    this.highlighted = new Set();  // names of series
    this.isMoving = false;         // what dragging does: move, or choose a part
    this.view = null;              // part of the axes that is seen; null: all
    this.svg = svgElement("svg", {class: "chart", role: "group", tabindex: 0, "aria-label": "Quality against cost"});
    this.legend = element("div", {class: "legend"});
    this.note = element("figcaption", {});
    this.controls = element("div", {class: "controls"});
    this.frame = element("div", {class: "chart-frame"}, this.svg);
    const figure = element("figure", {class: "plot"}, this.controls,
      element("div", {class: "plot-columns"}, this.frame, this.legend), this.note);
    section.querySelector("h2").after(figure);
    for (const drawing of section.querySelectorAll("figure.fallback")) drawing.hidden = true;
    this.drawControls();
    this.moves = new PlotMoves(this);
    this.width = 0;  // of the frame when it was drawn
    new ResizeObserver(() => requestAnimationFrame(() => {
      if (this.frame.clientWidth !== this.width) this.draw();
    })).observe(this.frame);
    app.onFilter.push(() => this.draw());
    this.choose();
  }

  drawControls() {
    const {axes, metrics, groups} = app.data;
    const set = name => value => { this[name] = Number(value); this.view = null; this.choose(); };
    const button = (text, label, action, attributes = {}) =>
      element("button", {type: "button", "aria-label": label, title: label, onclick: action, ...attributes}, text);
    const modes = [["Zoom", false, "drag chooses a part"], ["Move", true, "drag moves"]].map(([text, isMoving, title]) =>
      toggle(text, isMoving === this.isMoving, () => this.setMode(isMoving), {title, "data-moving": isMoving}));
    this.controls.replaceChildren(
      groups.length > 1 ? choice("Points of", groups.map((group, i) => [i, group.name]), this.group, set("group")) : "",
      choice("Quality", this.metrics.map(i => [i, metrics[i].title]), this.metric, set("metric")),
      choice("against", axes.map((axis, i) => [i, axis.label]), this.axis, set("axis")),
      element("span", {class: "segments", role: "group", "aria-label": "What dragging does"}, modes),
      element("span", {class: "segments"}, button("+", "Zoom in (key +)", () => this.moves.zoom(0.6)),
        button("\u2212", "Zoom out (key -)", () => this.moves.zoom(1 / 0.6)),
        button("Reset", "Show all (key 0)", () => this.show(null), {id: "plot-reset"})));
  }

  setMode(isMoving) {
    this.isMoving = isMoving;
    for (const one of this.controls.querySelectorAll("[data-moving]")) {
      one.setAttribute("aria-pressed", String(one.dataset.moving === String(isMoving)));
    }
    this.svg.classList.toggle("moving", isMoving);
  }

  /** What follows from group, metric and axis. */
  choose() {
    const {data} = app;
    const group = data.groups[this.group];
    this.front = group.fronts[`${data.axes[this.axis].key} ${data.metrics[this.metric].key}`];
    const seen = group.points.map(i => data.points[i]);
    this.full = seen.find(point => point.full) ?? null;
    this.points = seen.filter(point => Number.isFinite(point.x[this.axis]) && Number.isFinite(point.y[this.metric].value));
    this.left = seen.filter(point => !point.full).length - this.points.filter(point => !point.full).length;
    this.onFront = new Set(this.front.front);
    this.setColours();
    this.drawLegend();
    this.drawNote();
    this.draw();
  }

  /** Colours go to the policies in their order or, where there are too many, to those of the largest hypervolume. */
  setColours() {
    const {colours} = app.data;
    const names = this.front.series.map(([name]) => name);
    const strongest = [...this.front.series].sort((a, b) => b[1] - a[1]).slice(0, colours.length).map(([name]) => name);
    const coloured = names.filter(name => strongest.includes(name));
    this.colours = new Map(coloured.map((name, i) => [name, colours[i]]));
    this.shapes = new Map(names.map((name, i) => [name, i]));
  }

  colourOf(name) {
    return this.colours.get(name) ?? "var(--soft)";
  }

  drawLegend() {
    const metric = app.data.metrics[this.metric];
    const most = Math.max(...this.front.series.map(([, volume]) => volume), 1e-300);
    const rows = [...this.front.series].sort((a, b) => b[1] - a[1]).map(([name, volume]) => {
      const mark = svgElement("svg", {viewBox: "-8 -8 16 16", class: "mark", "aria-hidden": "true"},
        svgElement("path", {d: symbolPath(this.shapes.get(name), 5), style: `fill:${this.colourOf(name)}`}));
      const button = element("button", {type: "button", class: "series", "aria-pressed": String(this.highlighted.has(name)),
        title: "highlight", onclick: () => this.highlight(name, button)}, mark, element("span", {}, name));
      return element("li", {style: `--part:${volume / most}`}, button, element("span", {class: "volume"}, volume.toPrecision(3)));
    });
    this.legend.replaceChildren(element("p", {}, "Policy ", element("span", {}, `Hypervolume, ${withUnit("decades \u00b7", metric.unit || metric.label)}`)),
      element("ol", {}, rows));
  }

  highlight(name, button) {
    if (!this.highlighted.delete(name)) this.highlighted.add(name);
    button.setAttribute("aria-pressed", String(this.highlighted.has(name)));
    this.draw();
  }

  drawNote() {
    const {data} = app;
    const [axis, metric] = [data.axes[this.axis], data.metrics[this.metric]];
    const corner = `${axis.label.toLowerCase().replace(/^kv|kv/g, "KV")} ${withUnit(shownNumber(this.front.corner[0], axis.decimals), axis.unit)}`
      + ` and ${metric.label} ${withUnit(shownNumber(this.front.corner[1], metric.decimals), metric.unit)}`;
    this.note.replaceChildren(
      element("p", {}, element("b", {class: "hypervolume"}, `Hypervolume of all: ${this.front.volume.toPrecision(4)}`),
        ` ${withUnit("decades \u00b7", metric.unit || metric.label)}: the area that the points dominate, with the logarithm of the cost, up to the`
        + ` corner of ${corner}, which is what the full cache costs, or the dearest point, and the worst quality of any point.`),
      element("p", {}, "Coloured: nothing costs less and is better. Grey: dominated. Step line: the best that is to be had for the cost. Bars: 95 % intervals.",
        this.left ? ` Not in it, as they have no finite value here: ${this.left} point${this.left === 1 ? "" : "s"}.` : ""),
      element("p", {class: "keys"}, "Wheel or + \u2212 zooms, arrows move, 0 shows all; Tab goes to the points, Enter says where a number comes from."));
  }

  /** Part of the axes, {x: [from, to], y: [from, to]} as they are drawn (logarithms); null: all. */
  show(view) {
    this.view = view;
    this.draw();
  }

  value(point) {
    return [this.toX(point.x[this.axis]), point.y[this.metric].value];
  }

  toX(cost) {
    return this.isLogarithmic ? Math.log10(cost) : cost;
  }

  /** The ends of the axes with all points and a margin. */
  whole() {
    const costs = this.points.map(point => point.x[this.axis]);
    if (this.full && Number.isFinite(this.full.x[this.axis])) costs.push(this.full.x[this.axis]);
    this.isLogarithmic = costs.every(cost => cost > 0);
    const values = this.points.flatMap(point => {
      const {value, low, high} = point.y[this.metric];
      return [value, low, high].filter(Number.isFinite);
    });
    const padded = (list, part) => {
      const [low, high] = list.length ? [Math.min(...list), Math.max(...list)] : [0, 1];
      const room = (high - low) * part || Math.abs(high) * 0.05 || 1;
      return [low - room, high + room];
    };
    return {x: padded(costs.map(cost => this.toX(cost)), 0.05 + 24 / this.width), y: padded(values, 0.06)};
  }

  draw() {
    this.width = this.frame.clientWidth;
    const width = Math.max(260, this.width);
    const height = Math.round(Math.min(520, Math.max(300, width * 0.58)));
    if (!this.points) return;
    const all = this.whole();
    const view = this.view ?? all;
    const box = {left: 56, right: width - 14, top: 16, bottom: height - 46};
    this.scale = {
      view, all, box,
      x: at => box.left + (at - view.x[0]) / (view.x[1] - view.x[0]) * (box.right - box.left),
      y: at => box.bottom - (at - view.y[0]) / (view.y[1] - view.y[0]) * (box.bottom - box.top),
    };
    this.setOffsets();
    const focused = this.svg.contains(document.activeElement) ? document.activeElement.dataset?.point : null;
    setAttributes(this.svg, {viewBox: `0 0 ${width} ${height}`, width, height});
    const inside = svgElement("g", {"clip-path": "url(#plot-inside)"}, ...this.fullLines(), ...this.frontLine(), ...this.seriesLines());
    this.svg.replaceChildren(
      svgElement("defs", {}, svgElement("clipPath", {id: "plot-inside"},
        svgElement("rect", {x: box.left, y: box.top - 8, width: box.right - box.left + 8, height: box.bottom - box.top + 16}))),
      ...plotAxes(this), inside, svgElement("g", {class: "points", "clip-path": "url(#plot-inside)"}, ...this.markers()));
    const reset = document.getElementById("plot-reset");
    if (reset) reset.disabled = this.view === null;
    if (focused) this.svg.querySelector(`[data-point="${focused}"]`)?.focus({preventScroll: true});
  }

  /** Markers of several policies at one cost stand side by side. */
  setOffsets() {
    this.offsets = new Map();
    const columns = [];
    for (const point of this.points.filter(one => !one.full).sort((a, b) => a.x[this.axis] - b.x[this.axis])) {
      const left = this.scale.x(this.value(point)[0]);
      const last = columns[columns.length - 1];
      if (last && left - last.left < 6) last.points.push(point);
      else columns.push({left, points: [point]});
    }
    for (const {points} of columns) {
      const names = [...new Set(points.map(point => point.series))].sort((a, b) => this.shapes.get(a) - this.shapes.get(b));
      const gap = Math.min(9, 54 / Math.max(1, names.length - 1));
      for (const point of points) this.offsets.set(point, (names.indexOf(point.series) - (names.length - 1) / 2) * gap);
    }
  }

  /** Where a point is in the drawing, in pixels. */
  placeOf(point) {
    const [cost, quality] = this.value(point);
    return [this.scale.x(cost) + (this.offsets.get(point) ?? 0), this.scale.y(quality)];
  }

  fullLines() {
    if (!this.full) return [];
    const {x, y, box} = this.scale;
    const cost = x(this.toX(this.full.x[this.axis]));
    const lines = Number.isFinite(cost) ? [svgElement("line", {x1: cost, x2: cost, y1: box.top, y2: box.bottom, class: "full"}),
      svgElement("text", {x: cost - 5, y: box.bottom - 6, class: "end"}, "full cache")] : [];
    const {value} = this.full.y[this.metric];
    if (Number.isFinite(value)) lines.push(svgElement("line", {x1: box.left, x2: box.right, y1: y(value), y2: y(value), class: "full"}));
    return lines;
  }

  frontLine() {
    const {x, y, view} = this.scale;
    const corners = this.front.front.map(i => this.value(app.data.points[i]));
    if (corners.length === 0) return [];
    const steps = corners.map(([cost, quality], i) => `${i ? `H${x(cost)}V` : `M${x(cost)},`}${y(quality)}`);
    return [svgElement("path", {d: `${steps.join("")}H${x(view.x[1])}`, class: "front"})];
  }

  isBehind(point) {
    return !isShown(point) || (this.highlighted.size > 0 && !this.highlighted.has(point.series) && !point.full);
  }

  seriesLines() {
    return this.front.series.map(([name]) => {
      const own = this.points.filter(point => point.series === name && !point.full).map(point => this.placeOf(point)).sort((a, b) => a[0] - b[0]);
      const behind = this.highlighted.size > 0 && !this.highlighted.has(name);
      return svgElement("polyline", {points: own.map(place => place.join()).join(" "),
        class: behind ? "line behind" : "line", style: `stroke:${this.colourOf(name)}`});
    });
  }

  /** From the left, those that stand out last, so that they lie above; the first takes the Tab key. */
  markers() {
    const rank = point => (this.isBehind(point) ? 0 : 2) + (this.onFront.has(point.index) ? 1 : 0);
    const ordered = [...this.points].sort((a, b) => rank(a) - rank(b) || a.x[this.axis] - b.x[this.axis]);
    const byCost = [...this.points].sort((a, b) => a.x[this.axis] - b.x[this.axis]);
    this.order = byCost;
    return ordered.map(point => this.marker(point, point === byCost[0]));
  }

  marker(point, isFirst) {
    const {y} = this.scale;
    const [left, top] = this.placeOf(point);
    const {low, high} = point.y[this.metric];
    const isBest = this.onFront.has(point.index) || point.full;
    const colour = point.full ? "var(--ink)" : this.colourOf(point.series);
    const shape = svgElement("path", {d: symbolPath(point.full ? 0 : this.shapes.get(point.series), isBest ? 6 : 5),
      transform: `translate(${left} ${top})`, class: isBest ? "marker best" : "marker dominated", style: `--own:${colour}`});
    const bar = Number.isFinite(low) && Number.isFinite(high)
      ? [svgElement("line", {x1: left, x2: left, y1: y(low), y2: y(high), class: "interval", style: `stroke:${isBest ? colour : "var(--soft)"}`})] : [];
    return svgElement("g", {class: this.isBehind(point) ? "point behind" : "point", "data-point": point.hash.slice(0, hashDigits), role: "button",
      tabindex: isFirst ? 0 : -1, "aria-label": this.describe(point).replaceAll("\n", ", ")}, ...bar, shape);
  }

  describe(point) {
    const {axes, metrics} = app.data;
    const axis = axes[this.axis];
    const metric = metrics[this.metric];
    return [point.name, `${metric.label} ${shownMeasured(point.y[this.metric], metric)}`,
      `${axis.label}: ${withUnit(shownNumber(point.x[this.axis], axis.decimals), axis.unit)}`,
      point.full ? "the reference" : this.onFront.has(point.index) ? "on the front" : "dominated",
      `${point.images} image${point.images === 1 ? "" : "s"}`].join("\n");
  }

  /** The point that is next to a place of the drawing, if it is near. */
  nearest(left, top) {
    let [best, least] = [null, 20 ** 2];
    for (const point of this.points) {
      const [x, y] = this.placeOf(point);
      const distance = (x - left) ** 2 + (y - top) ** 2;
      if (distance < least) [best, least] = [point, distance];
    }
    return best;
  }

  open(point) {
    const metric = app.data.metrics[this.metric];
    showProvenance(point, {label: metric.title, text: shownMeasured(point.y[this.metric], metric)});
  }
}

/** Grid, ticks and names of the axes. */
function plotAxes(plot) {
  const {view, box, x, y} = plot.scale;
  const axis = app.data.axes[plot.axis];
  const metric = app.data.metrics[plot.metric];
  const parts = [];
  const rows = niceTicks(view.y[0], view.y[1], (box.bottom - box.top) / 55);
  for (const value of rows) {
    parts.push(svgElement("line", {x1: box.left, x2: box.right, y1: y(value), y2: y(value), class: "rule"}),
      svgElement("text", {x: box.left - 7, y: y(value) + 4, class: "end"}, shownTick(value, rows[1] - rows[0] || 1)));
  }
  for (const [at, text] of costTicks(view.x, plot.isLogarithmic, (box.right - box.left) / 70)) {
    parts.push(svgElement("line", {x1: x(at), x2: x(at), y1: box.top, y2: box.bottom, class: "rule"}),
      svgElement("text", {x: x(at), y: box.bottom + 17, class: "middle"}, text));
  }
  const remark = plot.isLogarithmic ? ", logarithmic" : "";
  parts.push(svgElement("text", {x: (box.left + box.right) / 2, y: box.bottom + 38, class: "middle axis"},
    `${axis.label}${axis.unit ? ` (${axis.unit}${remark})` : remark}`),
  svgElement("text", {x: 4, y: 9, class: "axis"}, `${withUnit(metric.title, metric.unit && `(${metric.unit})`)} ${metric.higher ? "\u2191" : "\u2193"}`));
  return parts;
}

/** [place, text] of ticks; of a logarithmic axis the places are logarithms. */
function costTicks([from, to], isLogarithmic, most) {
  const span = to - from;
  if (!isLogarithmic) {
    const values = niceTicks(from, to);
    return values.map(value => [value, shownTick(value, values[1] - values[0] || 1)]);
  }
  if (span < 0.5) {  // less than a factor of three: as on a linear axis
    const values = niceTicks(10 ** from, 10 ** to).filter(value => value > 0);
    const every = Math.ceil(values.length / most);
    return values.filter((_, i) => i % every === 0).map(value => [Math.log10(value), shownTick(value, values[1] - values[0] || 1)]);
  }
  const sets = [[1, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]];
  for (const factors of sets) {
    const ticks = [];
    for (let decade = Math.floor(from); decade <= to; ++decade) {
      for (const factor of factors) {
        const at = decade + Math.log10(factor);
        if (at >= from && at <= to) ticks.push([at, String(Number((factor * 10 ** decade).toPrecision(3)))]);
      }
    }
    if (ticks.length <= most || factors.length === 1) return ticks;
  }
  return [];
}

/** Markers that are told apart without colour. */
function symbolPath(kind, size) {
  const r = size;
  const ring = (corners, turn) => `M${Array.from({length: corners}, (_, i) => {
    const angle = turn + 2 * Math.PI * i / corners;
    return `${(1.15 * r * Math.sin(angle)).toFixed(2)},${(-1.15 * r * Math.cos(angle)).toFixed(2)}`;
  }).join("L")}Z`;
  switch (kind % 7) {
    case 0: return `M${-r},0A${r},${r} 0 1 0 ${r},0A${r},${r} 0 1 0 ${-r},0Z`;
    case 1: return ring(4, Math.PI / 4);
    case 2: return ring(3, 0);
    case 3: return ring(4, 0);
    case 4: return ring(3, Math.PI);
    case 5: return ring(5, 0);
    default: return ring(6, Math.PI / 6);
  }
}
