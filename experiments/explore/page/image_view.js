// The image of the first prompt and where heads look from a cell of it. The place in the image, the scale,
// the layer and the heads are chosen once for all records that are side by side.

class ImageView {
  constructor() {
    this.heads = [0];       // whose attention is shown; of several the mean
    this.gridIndex = null;  // among the image's grids; null: the last
    this.place = [0.5, 0.5];  // parts of the image's width and height
    this.only = null;       // index of the one grid that is laid over the image; null: all
    this.isOverlaid = true;
    this.isCommon = false;  // one shading for all grids
  }

  get mapped() {
    return app.records.filter(record => record.queryMaps);
  }

  draw(main) {
    const {mapped} = this;
    if (mapped.length === 0) {
      main.append(...app.records.map(record => this.withoutMaps(record)));
      return;
    }
    this.settle();
    this.panels = mapped.map(record => new MapPanel(this, record));
    const pair = mapped.length === 2 ? new MapDifference(this.panels) : null;
    main.append(this.controls(), this.prompt(mapped[0]));
    main.append(element("div", {class: `panels of-${mapped.length}`}, this.panels.map(panel => panel.body), pair?.body ?? null));
    this.pair = pair;
    main.append(...app.records.filter(record => !record.queryMaps).map(record => this.withoutMaps(record)),
      ...app.records.map(record => otherImages(record)));
    this.update();
  }

  /** Whatever was chosen is made one that all records have. */
  settle() {
    const layers = this.mapped[0].queryMaps.layers;
    if (!layers.includes(app.state.layer)) {
      app.state.layer = layers.reduce((best, layer) =>
        Math.abs(layer - app.state.layer) < Math.abs(best - app.state.layer) ? layer : best);
    }
    const {heads} = this.mapped[0];
    this.heads = this.heads.filter(head => head < heads);
    if (this.heads.length === 0) this.heads = [Math.min(app.state.head, heads - 1)];
    const count = this.gridCount();
    this.gridIndex = Math.min(this.gridIndex ?? count - 1, count - 1);
  }

  gridCount() {
    return Math.max(...this.mapped.map(record => record.queryMaps.imageGrids.length));
  }

  controls() {
    const record = this.mapped[0];
    const maps = record.queryMaps;
    const scales = maps.imageGrids.map((grid, i) => element("button", {type: "button", class: "toggle", "data-grid": i,
      "aria-pressed": String(i === this.gridIndex), title: maps.gridName(grid), onclick: () => this.chooseGrid(i)},
    grid.isRaster ? "image" : `${grid.height}\u00d7${grid.width}`));
    this.scaleButtons = scales;
    this.layerChoice = choice("Layer", maps.layers.map(layer => [layer, layer]), app.state.layer, layer => this.chooseLayer(Number(layer)));
    return element("div", {class: "controls"},
      scales.length > 1 ? element("span", {class: "segments", role: "group", "aria-label": "Scale of the query"}, scales) : null,
      this.layerChoice,
      toggle("all heads", this.heads.length === record.heads, () => this.meanOfHeads(), {id: "all-heads"}),
      toggle("overlay", this.isOverlaid, isOn => { this.isOverlaid = isOn; redraw(); }),
      toggle("one shading for all grids", this.isCommon, isOn => { this.isCommon = isOn; redraw(); }));
  }

  prompt(record) {
    const prompt = record.prompts[0];
    return prompt === undefined ? null : element("p", {class: "prompt"}, `\u201c${prompt}\u201d`);
  }

  withoutMaps(record) {
    return element("section", {class: "notice"},
      app.records.length > 1 ? element("h2", {}, record.file) : null,
      element("p", {}, "This record does not say where single queries look. Recorded with --query-maps it does, for example by"),
      element("pre", {}, element("code", {}, record.recordMaps)),
      record.pictures.length ? firstImages(record) : element("p", {}, "Nor does it hold the images."));
  }

  chooseGrid(index) {
    this.gridIndex = Math.min(this.gridCount() - 1, Math.max(0, index));
    this.only = null;
    this.update();
  }

  chooseLayer(layer) {
    app.state.layer = layer;
    this.update();
  }

  chooseHead(head, isAdded) {
    if (isAdded) {
      const has = this.heads.includes(head);
      const others = this.heads.filter(one => one !== head);
      this.heads = has && others.length ? others : [...others, head].sort((a, b) => a - b);
    } else {
      this.heads = [head];
      app.state.head = head;
    }
    this.update();
  }

  meanOfHeads() {
    const {heads} = this.mapped[0];
    this.heads = this.heads.length === heads ? [Math.min(app.state.head, heads - 1)] : Array.from({length: heads}, (_, i) => i);
    this.update();
  }

  choosePlace(place) {
    this.place = place;
    this.update();
  }

  /** Draws what follows from the choices; the frame stays, and with it the focus. */
  update() {
    document.getElementById("tip").hidden = true;
    for (const [i, button] of this.scaleButtons.entries()) button.setAttribute("aria-pressed", String(i === this.gridIndex));
    this.layerChoice.querySelector("select").value = String(app.state.layer);
    document.getElementById("all-heads").setAttribute("aria-pressed", String(this.heads.length === this.mapped[0].heads));
    for (const panel of this.panels) panel.update();
    this.pair?.update();
  }

  moveLayer(by) {
    const {layers} = this.mapped[0].queryMaps;
    const at = layers.indexOf(app.state.layer) + by;
    if (layers[at] !== undefined) this.chooseLayer(layers[at]);
  }

  moveHead(by) {
    const {heads} = this.mapped[0];
    this.chooseHead((this.heads[0] + by + heads) % heads, false);
  }

  /** To the next query of the scale, so many lines and columns away. */
  moveQuery(down, right) {
    const {query} = this.panels[0];
    const {grid} = query;
    const next = (key, by) => {
      const all = [...new Set(grid.queries.map(one => one[key]))].sort((a, b) => a - b);
      return all[Math.min(all.length - 1, Math.max(0, all.indexOf(query[key]) + by))];
    };
    const line = down ? next("line", down) : query.line;
    const column = right ? next("column", right) : query.column;
    this.choosePlace([(column + 0.5) / grid.width, (line + 0.5) / grid.height]);
  }

  /** Scales of a next-scale model; queries of a raster, one behind the other. */
  moveStep(by) {
    if (this.gridCount() > 1) return this.chooseGrid(this.gridIndex + by);
    const {query} = this.panels[0];
    const next = query.grid.queries[query.grid.queries.indexOf(query) + by];
    if (next) this.choosePlace([(next.column + 0.5) / next.grid.width, (next.line + 0.5) / next.grid.height]);
    return undefined;
  }

  keys() {
    if (this.mapped.length === 0) return [];
    return [
      [["ArrowLeft"], "", () => this.moveStep(-1)],
      [["ArrowRight"], this.gridCount() > 1 ? "scale" : "query", () => this.moveStep(1)],
      [["ArrowUp"], "", () => this.moveLayer(-1)],
      [["ArrowDown"], "layer", () => this.moveLayer(1)],
      [[","], "", () => this.moveHead(-1)],
      [["."], "head", () => this.moveHead(1)],
      [["w"], "", () => this.moveQuery(-1, 0)],
      [["a"], "", () => this.moveQuery(0, -1)],
      [["s"], "", () => this.moveQuery(1, 0)],
      [["d"], "cell", () => this.moveQuery(0, 1)],
      [["m"], "mean of heads", () => this.meanOfHeads()],
      [["o"], "overlay", () => { this.isOverlaid = !this.isOverlaid; redraw(); }],
      [["g"], "shading", () => { this.isCommon = !this.isCommon; redraw(); }],
    ];
  }
}

function imageOf(record, index) {
  return element("img", {src: `data:image/png;base64,${blockText(record.pictures[index])}`,
    alt: record.prompts[index] === undefined ? `image ${index}` : `image of "${record.prompts[index]}"`});
}

function firstImages(record, from = 0) {
  return element("div", {class: "images"}, record.pictures.slice(from).map((_, i) =>
    element("figure", {}, imageOf(record, from + i), element("figcaption", {}, record.prompts[from + i] ?? ""))));
}

/** The images behind the first, which has the maps. */
function otherImages(record) {
  if (!record.queryMaps || record.pictures.length < 2) return null;
  return element("details", {}, element("summary", {},
    `${app.records.length > 1 ? `${record.letter}: ` : ""}other images of the record`), firstImages(record, 1));
}
