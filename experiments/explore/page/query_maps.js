// Where single queries look. Tokens lie in grids: a scale is one, the condition tokens are a line, the
// raster image of a next-token model is one. A query's row holds its share on every cell of every grid
// that it can see.

class QueryMaps {
  constructor(record) {
    this.record = record;
    const {query, cell, rowLengths, layers} = record.maps;
    this.layers = layers;
    this.blocks = new Map();
    this.grids = [];
    const {kind, height, width} = record.steps;
    for (let index = 0; index < cell.onStep.length; ++index) {
      const step = cell.onStep[index];
      const isRaster = kind[step] === 2;
      let grid = this.grids.at(-1);
      if (!grid || (isRaster ? !grid.isRaster : grid.step !== step)) {
        grid = {step, isRaster, isCondition: kind[step] === 0, height: height[step], width: width[step],
          begin: index, end: index};
        if (isRaster) {
          const tokens = kind.filter(one => one === 2).length;
          grid.width = record.lineTokens || Math.round(Math.sqrt(tokens));
          grid.height = Math.ceil(tokens / grid.width);
        }
        this.grids.push(grid);
      }
      grid.end = index + 1;
    }
    let begin = 0;
    this.queries = query.step.map((step, index) => {
      const grid = this.grids.find(one => one.isRaster ? kind[step] === 2 : one.step === step);
      const token = grid.isRaster ? step - grid.step : query.query[index];
      const made = {index, step, token, grid, line: Math.floor(token / grid.width), column: token % grid.width,
        begin, length: rowLengths[index]};
      begin += made.length;
      return made;
    });
    for (const grid of this.grids) grid.queries = this.queries.filter(one => one.grid === grid);
  }

  /** Grids that hold an image, which a query can be chosen from. */
  get imageGrids() {
    return this.grids.filter(grid => !grid.isCondition && grid.queries.length > 0);
  }

  get bits() { return 16; }

  halves(layer, head) {
    const at = this.layers.indexOf(layer) * this.record.heads + head;
    if (!this.blocks.has(at)) this.blocks.set(at, blockHalves(this.record.maps.blocks[at]));
    return this.blocks.get(at);
  }

  /** Shares of a query on the cells it sees: of one head the file's numbers, of several their mean. */
  row(layer, heads, query) {
    const table = halfValues();
    const sum = new Float64Array(query.length);
    for (const head of heads) {
      const halves = this.halves(layer, head);
      for (let i = 0; i < query.length; ++i) sum[i] += table[halves[query.begin + i]];
    }
    return heads.length === 1 ? sum : sum.map(value => value / heads.length);
  }

  /** The share of a row on a whole grid. */
  shareOn(row, grid) {
    let share = 0;
    for (let index = grid.begin; index < Math.min(grid.end, row.length); ++index) share += row[index];
    return share;
  }

  /** [height * width] which cell every token of a grid lies in; -1: in none. */
  cellsOfTokens(grid) {
    if (!grid.cells) {
      grid.cells = new Int32Array(grid.height * grid.width).fill(-1);
      const {line, column, lines, columns} = this.record.maps.cell;
      for (let index = grid.begin; index < grid.end; ++index) {
        for (let y = line[index]; y < line[index] + lines[index]; ++y) {
          grid.cells.fill(index, y * grid.width + column[index], y * grid.width + column[index] + columns[index]);
        }
      }
    }
    return grid.cells;
  }

  /** The cell of a grid at parts of its width and height, or -1. */
  cellAt(grid, [x, y]) {
    return this.cellsOfTokens(grid)[Math.floor(y * grid.height) * grid.width + Math.floor(x * grid.width)];
  }

  /** What is drawn of a grid: the numbers per token of each cell, so that cells of all sizes compare. */
  perToken(row, grid) {
    const {lines, columns} = this.record.maps.cell;
    return row.slice(grid.begin, grid.end).map((share, i) => share / (lines[grid.begin + i] * columns[grid.begin + i]));
  }

  /** A grid in the colours of numbers per token; what the query cannot see is empty. */
  picture(row, grid, shading) {
    const cells = this.cellsOfTokens(grid);
    const numbers = this.perToken(row, grid);
    return pixels(grid.height, grid.width, (line, column) => {
      const number = numbers[cells[line * grid.width + column] - grid.begin];
      return number === undefined ? null : shading.colour(number);
    }, {class: "map", role: "img", "aria-label": this.gridName(grid)});
  }

  /** Attention over the image on a square of side x side: the density of all grids, or of one. */
  density(row, side, only = null) {
    const sum = new Float64Array(side * side);
    const {line, column, lines, columns} = this.record.maps.cell;
    for (const grid of only ? [only] : this.grids) {
      if (grid.isCondition) continue;
      for (let index = grid.begin; index < Math.min(grid.end, row.length); ++index) {
        if (row[index] === 0) continue;
        const top = Math.round(line[index] / grid.height * side);
        const bottom = Math.max(top + 1, Math.round((line[index] + lines[index]) / grid.height * side));
        const left = Math.round(column[index] / grid.width * side);
        const right = Math.max(left + 1, Math.round((column[index] + columns[index]) / grid.width * side));
        const share = row[index] / ((bottom - top) * (right - left));
        for (let y = top; y < Math.min(bottom, side); ++y) {
          for (let x = left; x < Math.min(right, side); ++x) sum[y * side + x] += share;
        }
      }
    }
    return sum;
  }

  gridName(grid) {
    if (grid.isCondition) return `condition (${grid.width} tokens)`;
    const size = `${grid.height} \u00d7 ${grid.width}`;
    return grid.isRaster ? `image (${size})` : `scale ${grid.step} (${size})`;
  }

  /** "scale 5, lines 2-3, columns 4-5". */
  cellName(grid, index) {
    const {line, column, lines, columns} = this.record.maps.cell;
    const range = (word, first, count) => count === 1 ? `${word} ${first}` : `${word}s ${first}\u2013${first + count - 1}`;
    if (grid.isCondition) return `condition token ${column[index]}`;
    const place = `${range("line", line[index], lines[index])}, ${range("column", column[index], columns[index])}`;
    return grid.isRaster ? place : `scale ${grid.step}, ${place}`;
  }
}
