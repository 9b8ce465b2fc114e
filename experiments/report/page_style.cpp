#include "experiments/report/page_style.h"

namespace kvscope {

const char* const kPageStyle = R"css(
:root { --ink: #212428; --soft: #5c616b; --line: #dfe2e6; --paper: #fff; --wash: #f6f7f9; --accent: #0072b2; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--wash); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 2.2rem 1.5rem 4rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .3rem; letter-spacing: -.01em; }
h2 { font-size: 1.2rem; margin: 2.4rem 0 .8rem; }
.subtitle { color: var(--soft); margin: 0 0 1.2rem; max-width: 46rem; }
nav { margin: 1rem 0; display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; }
a { color: var(--accent); text-decoration: none; } a:hover { text-decoration: underline; }
p { max-width: 46rem; }
code { font: .86em ui-monospace, "DejaVu Sans Mono", Menlo, monospace; overflow-wrap: anywhere; }
details.provenance { background: var(--paper); border: 1px solid var(--line); border-radius: 6px; padding: .6rem 1rem; }
details.provenance summary { cursor: pointer; font-weight: 600; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.2rem; margin: .6rem 0 .2rem; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
.points code { background: var(--wash); border-radius: 3px; padding: .05em .35em; margin-right: .2em;
  display: inline-block; }
figure { margin: 1.2rem 0; background: var(--paper); border: 1px solid var(--line); border-radius: 6px; padding: 1rem; }
figcaption { color: var(--soft); font-size: .87rem; margin-top: .6rem; } figcaption:empty { display: none; }
figure svg, figure img { max-width: 100%; height: auto; display: block; margin: 0 auto; }
img.pixelated { image-rendering: pixelated; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .88rem; }
caption { text-align: left; font-weight: 600; padding-bottom: .6rem; }
th { border-bottom: 1.5px solid var(--ink); border-top: 1.5px solid var(--ink); padding: .35rem .5rem;
  vertical-align: bottom; font-weight: 600; white-space: nowrap; }
th small, td small { color: var(--soft); font-weight: 400; }
td { padding: .28rem .5rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
tbody tr:last-child td { border-bottom: 1.5px solid var(--ink); }
tbody tr:hover td { background: var(--wash); }
.left { text-align: left; } .right { text-align: right; } .centre { text-align: center; }
.best > span { font-weight: 700; } .second > span { text-decoration: underline; text-underline-offset: 3px; }
.reference td { color: var(--soft); font-style: italic; } .missing { color: var(--soft); }
.sortable th { cursor: pointer; } .sortable th:focus-visible { outline: 2px solid var(--accent); }
th[aria-sort=ascending]::after { content: " ▴"; } th[aria-sort=descending]::after { content: " ▾"; }
@media print { body { background: #fff; } main { max-width: none; padding: 0; } nav { display: none; }
  figure { break-inside: avoid; border: 0; padding: 0; } }
)css";

const char* const kPageScript = R"js(
for (const table of document.querySelectorAll("figure.table table")) {
  table.classList.add("sortable");
  const body = table.tBodies[0];
  table.querySelectorAll("thead th").forEach((head, column) => {
    head.tabIndex = 0;
    const sort = () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      table.querySelectorAll("th").forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = row => {
        const cell = row.cells[column];
        return cell.dataset.value === undefined ? cell.textContent : TableNumber(cell.dataset.value);
      };
      const empty = row => row.cells[column].classList.contains("missing");
      [...body.rows].sort((a, b) => {
        if (empty(a) !== empty(b)) return empty(a) ? 1 : -1;
        const x = key(a), y = key(b);
        const order = typeof x === "number" && typeof y === "number"
          ? (x < y ? -1 : x > y ? 1 : 0) : String(x).localeCompare(String(y), undefined, {numeric: true});
        return down ? -order : order;
      }).forEach(row => body.append(row));
    };
    head.addEventListener("click", sort);
    head.addEventListener("keydown", event => { if (event.key === "Enter") sort(); });
  });
}
)js";

}  // namespace kvscope
