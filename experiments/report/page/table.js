// Tables: sorted by a click on a column's head, gone through with the arrow keys; a number says where it comes from. The
// table of all points has filters, too.

class SortedTable {
  constructor(figure, hasFilters = true) {
    this.figure = figure;
    this.table = figure.querySelector("table");
    this.body = this.table.tBodies[0];
    this.heads = [...this.table.tHead.rows[0].cells];
    this.heads.forEach((head, column) => {
      const button = element("button", {type: "button", class: "sort", onclick: () => this.sort(column)});
      button.append(...head.childNodes);
      head.append(button);
    });
    this.rows = [...this.body.rows];
    this.prepareCells();
    if (hasFilters && this.rows.some(row => row.dataset.point)) this.addFilters();
  }

  sort(column) {
    const head = this.heads[column];
    // Where more is better, the best comes first.
    const before = head.getAttribute("aria-sort");
    const first = head.textContent.includes("\u2191") ? "descending" : "ascending";
    const order = before === null ? first : before === "ascending" ? "descending" : "ascending";
    for (const other of this.heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", order);
    const keyed = this.rows.map(row => [sortKey(row.cells[column]), row]);
    const sign = order === "descending" ? -1 : 1;
    keyed.sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null);  // missing ones last, either way
      return sign * (typeof a === "number" && typeof b === "number" ? (a < b ? -1 : a > b ? 1 : 0)
        : String(a).localeCompare(String(b), undefined, {numeric: true}));
    });
    this.rows = keyed.map(([, row]) => row);
    this.body.append(...this.rows);
  }

  /** One cell is reached with Tab, the others from it; Enter, Space or a click opens the provenance of a number. */
  prepareCells() {
    const first = [...this.body.querySelectorAll("td")].find(cell => pointOfCell(cell));
    if (!first) return;
    this.table.classList.add("traced");
    first.tabIndex = 0;
    this.current = first;
    this.body.addEventListener("click", event => this.open(event.target.closest("td")));
    this.body.addEventListener("keydown", event => {
      const cell = event.target.closest("td");
      if (!cell || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        this.open(cell);
        return;
      }
      const next = this.neighbour(cell, event.key);
      if (next) {
        event.preventDefault();
        this.focus(next);
      }
    });
  }

  neighbour(cell, key) {
    const row = cell.parentElement;
    const beside = (from, step) => {
      let other = from[step];
      while (other && other.hidden) other = other[step];
      return other;
    };
    switch (key) {
      case "ArrowLeft": return cell.previousElementSibling;
      case "ArrowRight": return cell.nextElementSibling;
      case "ArrowUp": return beside(row, "previousElementSibling")?.cells[cell.cellIndex];
      case "ArrowDown": return beside(row, "nextElementSibling")?.cells[cell.cellIndex];
      case "Home": return row.cells[0];
      case "End": return row.cells[row.cells.length - 1];
      default: return null;
    }
  }

  focus(cell) {
    this.current.tabIndex = -1;
    this.current = cell;
    cell.tabIndex = 0;
    cell.focus();
  }

  open(cell) {
    const point = cell && pointOfCell(cell);
    if (!point || String(getSelection())) return;
    if (this.current !== cell) this.focus(cell);
    showProvenance(point, {label: this.heads[cell.cellIndex].textContent.replace(/[\u2191\u2193]/, "").trim(),
      text: cell.classList.contains("missing") ? `\u2014 (${cell.title})` : cell.textContent});
  }

  addFilters() {
    const chosen = new Map();  // column -> text
    const numbers = this.heads.findLast(head => !head.hasAttribute("data-names"));
    const example = numbers ? `${numbers.textContent.trim().split(/[ ,]/)[0].toLowerCase()}>25` : "";
    const search = element("input", {type: "search", id: "filter", placeholder: `filter: h2o ${example}`, "aria-label":
      `Filter rows: words that they have, or a column compared with a number, as ${example}`, oninput: () => apply()});
    const selects = this.heads.flatMap((head, column) => {
      if (!head.hasAttribute("data-names")) return [];
      const values = [...new Set(this.rows.map(row => row.cells[column].textContent))];
      if (values.length < 2) return [];
      values.sort((a, b) => a.localeCompare(b, undefined, {numeric: true}));
      const name = head.textContent.trim();
      return [choice(name, [["", "all"], ...values.map(value => [value, value])], "", value => {
        if (value) chosen.set(column, value);
        else chosen.delete(column);
        apply();
      })];
    });
    const count = element("output", {class: "count"});
    const clear = element("button", {type: "button", onclick: () => {
      search.value = "";
      chosen.clear();
      for (const label of selects) label.querySelector("select").value = "";
      apply();
    }}, "Clear");
    const texts = new Map();
    const textOf = row => {
      if (!texts.has(row)) texts.set(row, row.textContent.toLowerCase());
      return texts.get(row);
    };
    const apply = () => {
      const tests = search.value.trim().split(/\s+/).filter(Boolean).map(term => this.test(term, textOf));
      const kept = new Set();
      for (const row of this.rows) {
        const fits = tests.every(test => test(row)) && [...chosen].every(([column, value]) => row.cells[column].textContent === value);
        row.hidden = !fits;
        if (fits) kept.add(row.dataset.point);
      }
      const visible = this.rows.filter(row => !row.hidden).length;
      count.textContent = visible === this.rows.length ? `${visible} points` : `${visible} of ${this.rows.length} points`;
      const isFiltered = visible !== this.rows.length;
      clear.hidden = !isFiltered && !search.value;
      setShown(isFiltered ? kept : null);
    };
    this.figure.prepend(element("div", {class: "controls filters"}, search, selects, clear, count));
    apply();
  }

  /** What a word of the filter asks of a row. */
  test(term, textOf) {
    const parts = /^(.+?)(<=|>=|<|>|=)(-?[\d.]+)$/.exec(term);
    const plain = text => text.toLowerCase().replace(/[^a-z0-9]/g, "");
    const column = parts ? this.heads.findIndex(head => plain(head.textContent).startsWith(plain(parts[1]))) : -1;
    if (column < 0) return row => textOf(row).includes(term.toLowerCase());
    const bound = Number(parts[3]);
    return row => {
      const value = sortKey(row.cells[column]);
      if (typeof value !== "number") return false;
      return {"<": value < bound, ">": value > bound, "<=": value <= bound, ">=": value >= bound, "=": value === bound}[parts[2]];
    };
  }
}

/** A number where the cell has one, null where it is missing, else its text. */
function sortKey(cell) {
  if (cell.classList.contains("missing")) return null;
  return cell.dataset.value === undefined ? cell.textContent : Number(cell.dataset.value);
}

function pointOfCell(cell) {
  return app.byHash.get(cell.dataset.point ?? cell.parentElement.dataset.point ?? "");
}
