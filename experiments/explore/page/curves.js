// Curves of chosen heads over what stands along an array (steps, as a rule) and over layers; with two
// records A in full and B in dashed lines, and their difference.

class CurvesView {
  constructor() {
    this.row = "own";  // of a map: which row or column of it is the curve
    this.at = "mean";  // over layers: at which step
  }

  draw(main) {
    if (app.state.pins.length === 0) app.state.pins = this.firstPins();
    this.array = shownArray(app.state.array) ?? shownRecord().byName.get(app.state.array) ?? null;
    if (!this.array) {
      main.append(this.controls(), element("p", {class: "notice"}, `${shownRecord().file} holds no ${app.state.array}.`));
      return;
    }
    main.append(this.controls(), this.legend(), element("div", {class: "charts"},
      this.alongChart(), this.layersChart()));
  }

  get width() {
    return document.documentElement.clientWidth < 600 ? 360 : 640;
  }

  /** The column of a map that holds most, over all heads. */
  fullestColumn(array) {
    const sums = new Float64Array(array.columns);
    array.values.forEach((value, i) => { if (Number.isFinite(value)) sums[i % array.columns] += Math.abs(value); });
    return String(sums.indexOf(Math.max(...sums)));
  }

  /** The first head of up to four layers, evenly spaced. */
  firstPins() {
    const {layers} = app.records[0];
    const count = Math.min(4, layers);
    return Array.from({length: count}, (_, i) => [Math.floor((i + 0.5) * layers / count), 0]);
  }

  controls() {
    const {array} = this;
    const change = (key, value) => { this[key] = value; redraw(); };
    const isSquare = array?.sides.length === 2 && array.sideNames[0] === "step" && array.sideNames[1] === "on step";
    if (array?.sides.length === 2 && !isSquare && this.row === "own") this.row = this.fullestColumn(array);
    const across = array?.sides.length === 2 ? array.sides[1].first.map((_, i) => [i, array.place(1, i)]) : [];
    const along = array?.sides.length ? array.sides[0].first.map((_, i) => [i, array.place(0, i)]) : [];
    return element("div", {class: "controls"},
      choice("Show", arrayNames().map(name => [name, name]), app.state.array, name => {
        app.state.array = name;
        this.row = "own";
        this.at = "mean";
        redraw();
      }),
      across.length ? choice("Of", [...(isSquare ? [["own", "the step itself"]] : []), ...across], this.row, value => change("row", value)) : null,
      along.length ? choice("Over layers", [["mean", `mean over ${array.sideNames[0]}`], ...along.map(([i, text]) => [i, `at ${text}`])],
        this.at, value => change("at", value)) : null);
  }

  legend() {
    const record = shownRecord();
    const items = app.state.pins.map(([layer, head], i) => element("span", {class: "term"},
      element("i", {class: "swatch", style: `background:${this.colour(i)}`}), `layer ${layer}, head ${head}`,
      element("button", {type: "button", class: "remove", "aria-label": `remove layer ${layer}, head ${head}`,
        onclick: () => { togglePin(layer, head); redraw(); }}, "\u00d7")));
    const options = count => Array.from({length: count}, (_, i) => [i, i]);
    return element("div", {class: "legend"},
      element("p", {}, `${this.array.help} [${this.array.unit}]`, this.array.averaging ? ` \u2014 ${this.array.averaging}` : ""),
      element("p", {class: "keys"}, items,
        choice("layer", options(record.layers), app.state.layer, layer => { app.state.layer = Number(layer); }),
        choice("head", options(record.heads), app.state.head, head => { app.state.head = Number(head); }),
        element("button", {type: "button", id: "add", onclick: () => this.add()}, "add")));
  }

  add() {
    const {layer, head} = app.state;
    if (!isPinned(layer, head)) togglePin(layer, head);
    redraw();
  }

  colour(i) {
    return app.colours.series[i % app.colours.series.length];
  }

  /** [letter, array, is dashed] of what is drawn together. */
  drawn() {
    if (app.state.shown === "difference") return this.array.isDifference ? [["B \u2212 A", this.array, false]] : [];
    return app.records.map((record, i) => [app.records.length > 1 ? record.letter : "", record.byName.get(app.state.array), i > 0])
      .filter(([, array]) => array);
  }

  /** Index in a head's numbers of what the curve shows at `i`; -1: nothing. */
  cell(array, i) {
    if (array.sides.length < 2) return i;
    const column = this.row === "own" ? i : Number(this.row);
    return column < array.columns ? i * array.columns + column : -1;
  }

  alongChart() {
    const {array} = this;
    if (array.sides.length === 0) return element("p", {class: "notice"}, "One number per head: see it over layers.");
    const series = this.drawn().flatMap(([letter, one, isDashed]) => app.state.pins
      .filter(([layer, head]) => one.has(layer, one.hasHeads ? head : 0))
      .map(([layer, head]) => this.alongSeries(letter, one, isDashed, layer, one.hasHeads ? head : 0)));
    return element("figure", {id: "along"}, element("figcaption", {}, `over ${array.sideNames[0]}`, this.lineKey()),
      lineChart(series, {label: array.unit, across: array.sideNames[0], ticks: i => array.tick(0, i), width: this.width}));
  }

  alongSeries(letter, array, isDashed, layer, head) {
    const numbers = array.of(layer, head);
    const points = array.sides[0].first.map((_, i) => {
      const cell = this.cell(array, i);
      const text = valueText(array, layer, head, array.sides.length < 2 ? 0 : i, array.sides.length < 2 ? i : cell - i * array.columns);
      return {x: i, value: cell < 0 ? NaN : numbers[cell], text: letter ? `${letter}: ${text}` : text};
    });
    const pin = app.state.pins.findIndex(one => one[0] === layer && (one[1] === head || !array.hasHeads));
    return {name: `${layer} ${head}`, colour: this.colour(pin), isDashed, points};
  }

  lineKey() {
    return app.records.length > 1 && app.state.shown !== "difference" ? element("span", {class: "missing"}, " A in full, B in dashed lines") : null;
  }

  /** Every head a dot, the mean over heads a line. */
  layersChart() {
    const series = [];
    this.drawn().forEach(([letter, array, isDashed]) => {
      const dots = [];
      const means = [];
      for (let layer = 0; layer < array.record.layers; ++layer) {
        let sum = 0;
        for (let head = 0; head < array.heads; ++head) {
          const [value, text] = this.overLayers(array, layer, head);
          sum += value;
          dots.push({x: layer, value, text: letter ? `${letter}: ${text}` : text});
        }
        const mean = sum / array.heads;
        means.push({x: layer, value: mean, text: `${letter ? `${letter}: ` : ""}layer ${layer}, mean over heads\n${roundText(mean)}`});
      }
      const colour = app.colours.series[isDashed ? 1 : 0];
      if (array.hasHeads) series.push({name: "heads", colour, isBare: true, points: dots});
      series.push({name: "mean", colour, isDashed, points: means});
    });
    const where = this.at === "mean" || !this.array.sides.length ? "" : `, at ${this.array.place(0, Number(this.at))}`;
    return element("figure", {id: "layers"}, element("figcaption", {}, `over layers${where}: heads as dots, their mean as a line`),
      lineChart(series, {label: this.array.unit, across: "layer", width: this.width}));
  }

  overLayers(array, layer, head) {
    const numbers = array.of(layer, head);
    const name = `layer ${layer}${array.hasHeads ? `, head ${head}` : ""}`;
    if (!array.sides.length) return [numbers[0], `${name}\n${array.text(numbers[0])}`];
    if (this.at !== "mean") {
      const cell = this.cell(array, Number(this.at));
      const value = cell < 0 ? NaN : numbers[cell];
      return [value, `${name}, ${array.place(0, Number(this.at))}\n${array.text(value)}`];
    }
    const values = array.sides[0].first.map((_, i) => this.cell(array, i)).filter(cell => cell >= 0)
      .map(cell => numbers[cell]).filter(Number.isFinite);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return [mean, `${name}, mean over ${array.sideNames[0]}\n${roundText(mean)}`];
  }

  changeAt(by) {
    const count = this.array?.sides[0]?.first.length ?? 0;
    const now = this.at === "mean" ? -1 : Number(this.at);
    const next = Math.min(count - 1, Math.max(-1, now + by));
    this.at = next < 0 ? "mean" : String(next);
    redraw();
  }

  changeArray(by) {
    this.row = "own";
    this.at = "mean";
    app.views.overview.changeArray(by);
  }

  keys() {
    return [
      [["ArrowLeft"], "", () => this.changeAt(-1)],
      [["ArrowRight"], "step of the layers' chart", () => this.changeAt(1)],
      [["["], "", () => this.changeArray(-1)],
      [["]"], "array", () => this.changeArray(1)],
    ];
  }
}
