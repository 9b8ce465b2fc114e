// One record in the image view: the image with the query and what it looks at laid over it, the grid of
// every scale, the condition tokens, and all heads of the layer.

const densitySide = 128;  // of what is laid over the image, in pixels

class MapPanel {
  constructor(view, record) {
    this.view = view;
    this.record = record;
    this.maps = record.queryMaps;
    this.stage = element("div", {class: "stage"});
    this.said = element("p", {class: "said", "aria-live": "polite"});
    this.heads = element("div", {class: "strip"});
    this.grids = element("div", {class: "grids"});
    this.body = element("section", {class: "panel", "data-record": record.letter},
      app.records.length > 1 ? element("h2", {}, element("b", {class: "letter"}, record.letter), ` ${record.file}`) : null,
      element("div", {class: "split"}, element("div", {class: "picture"}, this.stage, this.said, this.heads), this.grids));
    this.drawStage();
  }

  get layer() {
    const {layers} = this.maps;
    return layers.includes(app.state.layer) ? app.state.layer : layers.at(-1);
  }

  get chosenHeads() {
    const heads = this.view.heads.filter(head => head < this.record.heads);
    return heads.length ? heads : [0];
  }

  /** Of the chosen scale the query that lies nearest to the chosen place. */
  findQuery() {
    const grids = this.maps.imageGrids;
    const grid = grids[Math.min(this.view.gridIndex, grids.length - 1)];
    const [x, y] = this.view.place;
    const distance = query => ((query.column + 0.5) / grid.width - x) ** 2 + ((query.line + 0.5) / grid.height - y) ** 2;
    return grid.queries.reduce((best, query) => distance(query) < distance(best) ? query : best);
  }

  drawStage() {
    const image = this.record.pictures.length ? imageOf(this.record, 0) : element("div", {class: "blank"});
    this.overlay = element("div", {class: "overlay"});
    this.dots = svgElement("svg", {viewBox: "0 0 1 1", preserveAspectRatio: "none", class: "dots"});
    this.stage.append(image, this.overlay, this.dots);
    this.stage.addEventListener("click", event => this.view.choosePlace(placeIn(this.stage, event)));
    explain(this.stage, event => this.sharesAt(placeIn(this.stage, event)));
  }

  update() {
    const {maps, view} = this;
    this.query = this.findQuery();
    this.row = maps.row(this.layer, this.chosenHeads, this.query);
    const only = view.only === null ? null : maps.grids[view.only];
    const density = maps.density(this.row, densitySide, only);
    // The least is left clear: over the image only what stands out from it counts.
    const least = density.reduce((low, value) => Math.min(low, value), Infinity);
    const most = density.reduce((high, value) => Math.max(high, value), 0);
    this.overlay.replaceChildren(...view.isOverlaid ? [pixels(densitySide, densitySide, (y, x) => {
      const part = most > least ? Math.sqrt((density[y * densitySide + x] - least) / (most - least)) : 0;
      return [...app.colours.amount(0.1 + 0.9 * part), Math.round(205 * part)];
    })] : []);
    this.drawDots();
    this.drawSaid();
    this.drawHeads();
    this.drawGrids();
  }

  drawDots() {
    const {grid} = this.query;
    const marks = grid.queries.map(query => svgElement("ellipse", {cx: (query.column + 0.5) / grid.width,
      cy: (query.line + 0.5) / grid.height, rx: 0.006, ry: 0.006}));
    const cell = svgElement("rect", {x: this.query.column / grid.width, y: this.query.line / grid.height,
      width: 1 / grid.width, height: 1 / grid.height, class: "query"});
    this.dots.replaceChildren(...marks, cell);
  }

  drawSaid() {
    const {query, chosenHeads} = this;
    const who = chosenHeads.length === 1 ? `head ${chosenHeads[0]}` : `mean of ${chosenHeads.length} heads`;
    const place = `line ${query.line}, column ${query.column}`;
    const where = query.grid.isRaster ? `token ${query.token} (${place})` : `${place} of scale ${query.step}`;
    this.said.textContent = `Layer ${this.layer}, ${who}: where ${where} looks`;
  }

  /** What a share is called: the file's own number, or the mean of several heads. */
  text(share) {
    return this.chosenHeads.length === 1 ? exactText(share, this.maps.bits) : `${roundText(share)} (mean)`;
  }

  sharesAt(place) {
    const lines = [];
    this.maps.grids.forEach(grid => {
      if (grid.isCondition || grid.begin >= this.row.length) return;
      const index = this.maps.cellAt(grid, place);
      if (index >= 0 && index < this.row.length) lines.push(`${this.maps.cellName(grid, index)}: ${this.text(this.row[index])}`);
    });
    return lines.join("\n");
  }

  drawHeads() {
    const side = 32;
    const buttons = Array.from({length: this.record.heads}, (_, head) => {
      const density = this.maps.density(this.maps.row(this.layer, [head], this.query), side);
      const shading = Shading.of([density], false, true);
      const marks = this.record.headMarks.filter(mark => mark.isMarked[this.layer * this.record.heads + head]);
      return element("button", {type: "button", class: "head", "data-head": head, "aria-pressed": String(this.chosenHeads.includes(head)),
        title: `head ${head}${marks.map(mark => `, ${mark.marked}`).join("")}; with Shift: the mean of several`,
        onclick: event => this.view.chooseHead(head, event.shiftKey)},
      pixels(side, side, (y, x) => shading.colour(density[y * side + x]), {class: "thumb"}),
      element("span", {class: "caption"}, String(head), marks.map(mark => element("i", {class: `mark ${mark.marked}`}, markSign(mark)))));
    });
    const focused = this.heads.contains(document.activeElement) ? document.activeElement.dataset.head : null;
    this.heads.replaceChildren(...buttons);
    if (focused !== null) buttons[focused].focus();
  }

  drawGrids() {
    const {maps, row} = this;
    const seen = maps.grids.map((grid, i) => [grid, i]).filter(([grid]) => grid.begin < row.length);
    const common = this.view.isCommon
      ? Shading.of(seen.filter(([grid]) => !grid.isCondition).map(([grid]) => maps.perToken(row, grid)), false, true) : null;
    const plain = this.record.pictures.length
      ? element("figure", {class: "grid"}, imageOf(this.record, 0), element("figcaption", {}, "the image")) : "";
    this.grids.replaceChildren(plain, ...seen.map(([grid, index]) => grid.isCondition ? conditionBars(this, grid) : this.gridFigure(grid, index, common)));
  }

  gridFigure(grid, index, common) {
    const {maps, row} = this;
    const canvas = maps.picture(row, grid, common ?? Shading.of([maps.perToken(row, grid)], false, true));
    explain(canvas, event => {
      const cell = maps.cellAt(grid, placeIn(canvas, event));
      return cell < 0 || cell >= row.length ? "not made yet" : `${maps.cellName(grid, cell)}\n${this.text(row[cell])}`;
    });
    const share = maps.shareOn(row, grid);
    const isOnly = this.view.only === index;
    return element("figure", {class: `grid${grid === this.query.grid ? " own" : ""}${grid.isRaster ? " raster" : ""}`, "data-grid": index}, canvas,
      element("figcaption", {}, element("button", {type: "button", class: "toggle", "aria-pressed": String(isOnly),
        title: "lay only this one over the image", onclick: () => { this.view.only = isOnly ? null : index; this.view.update(); }},
      grid.isRaster ? "image" : `${grid.height}\u00d7${grid.width}`), ` ${percent(share)}`, element("span", {class: "share", style: `width:${100 * share}%`})));
  }
}

function percent(share) {
  return `${(100 * share).toFixed(share < 0.0995 ? 2 : 1)} %`;
}

/** Shares of the condition tokens as bars, the largest in full height. */
function conditionBars(panel, grid) {
  const shares = Array.from(panel.row.subarray(grid.begin, Math.min(grid.end, panel.row.length)));
  const largest = Math.max(...shares, Number.MIN_VALUE);
  const bars = shares.map((share, token) => explain(element("i", {"data-token": token, style: `--part:${share / largest}`}),
    () => `condition token ${token}\n${panel.text(share)}`));
  return element("figure", {class: "condition"}, element("div", {class: "bars", style: `max-width:${1.7 * shares.length}rem`}, bars),
    element("figcaption", {}, `${shares.length} condition tokens ${percent(panel.maps.shareOn(panel.row, grid))}`));
}

/** What B pays more or less than A to every cell, where both have the same cells. */
class MapDifference {
  constructor(panels) {
    this.panels = panels;
    this.grids = element("div", {class: "grids"});
    this.note = element("p", {class: "notice"});
    this.body = element("section", {class: "panel difference", "data-record": "difference"},
      element("h2", {}, element("b", {class: "letter"}, "B \u2212 A")), this.note, this.grids);
  }

  update() {
    const [a, b] = this.panels;
    const cells = JSON.stringify;
    this.fits ??= cells(a.record.maps.cell) === cells(b.record.maps.cell) && cells(a.record.maps.query) === cells(b.record.maps.query);
    this.note.hidden = this.fits;
    if (!this.fits) {
      this.note.textContent = "The records divide their keys differently: there is no difference to show.";
      return;
    }
    const difference = b.row.map((share, i) => share - a.row[i]);
    const {maps} = b;
    this.grids.replaceChildren(...maps.grids.filter(grid => grid.begin < difference.length && !grid.isCondition).map(grid => {
      const canvas = maps.picture(difference, grid, Shading.of([maps.perToken(difference, grid)], true, true));
      explain(canvas, event => {
        const cell = maps.cellAt(grid, placeIn(canvas, event));
        return cell < 0 || cell >= difference.length ? "not made yet"
          : `${maps.cellName(grid, cell)}\nA ${a.text(a.row[cell])}\nB ${b.text(b.row[cell])}\nB \u2212 A ${signed(difference[cell])}`;
      });
      const share = maps.shareOn(difference, grid);
      return element("figure", {class: `grid${grid.isRaster ? " raster" : ""}`}, canvas, element("figcaption", {},
        `${grid.isRaster ? "image" : `${grid.height}\u00d7${grid.width}`} ${share > 0 ? "+" : ""}${percentDifference(share)}`));
    }));
  }
}

function signed(value) {
  return `${value > 0 ? "+" : ""}${roundText(value)}`;
}

function percentDifference(share) {
  return `${(100 * share).toFixed(2)} %`;
}
