// What the page holds, and the order in which its parts come to life. Without scripts everything is there to be read; each
// part adds to what it finds.

const app = {
  data: null,      // of results/page/points_payload.h; null on a page without points
  byHash: new Map(),  // points by the first 12 digits of their hash
  shown: null,     // hashes that filters leave; null: all
  onFilter: [],    // called when that changes
};

const hashDigits = 12;

function start() {
  document.documentElement.classList.add("live");
  const block = document.getElementById("data");
  if (block) readData(JSON.parse(block.textContent));
  addThemeSwitch();
  app.tables = [...document.querySelectorAll("figure.table")].map(figure => new SortedTable(figure, figure.closest("#results") !== null));
  const tradeOff = document.getElementById("trade-off");
  if (tradeOff && app.data && app.data.groups.length) app.plot = new TradeOffPlot(tradeOff);
  app.comparisons = [...document.querySelectorAll("figure.images")].map(figure => new ImageComparison(figure));
  const ranking = document.getElementById("ranking");
  if (ranking && app.data && app.data.rankings) app.ranking = new Ranking(ranking);
  preparePrint();
  globalThis.report = app;  // for consoles and tests
}

function readData(data) {
  app.data = data;
  data.points.forEach((point, index) => {
    point.index = index;
    point.x = point.x.map(number);
    point.y = point.y.map(measured => typeof measured === "string" ? {missing: measured}
      : {value: number(measured[0]), low: number(measured[1]), high: number(measured[2]), part: measured[3]});
    app.byHash.set(point.hash.slice(0, hashDigits), point);
  });
  for (const front of data.groups.flatMap(group => Object.values(group.fronts))) {
    front.corner = front.corner.map(number);
    front.volume = number(front.volume);
    for (const series of front.series) series[1] = number(series[1]);
  }
}

/** JSON has no infinities and no NaN. */
function number(value) {
  if (value === null) return NaN;
  return value === "inf" ? Infinity : value === "-inf" ? -Infinity : value;
}

function setShown(hashes) {
  app.shown = hashes;
  for (const changed of app.onFilter) changed();
}

function isShown(point) {
  return app.shown === null || app.shown.has(point.hash.slice(0, hashDigits));
}

/** Paper shows everything: what is folded away, and images that nobody has scrolled to. */
function preparePrint() {
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("main details:not([open])")];
    for (const one of opened) one.open = true;
    for (const image of document.querySelectorAll("img[loading]")) image.loading = "eager";
  });
  addEventListener("afterprint", () => {
    for (const one of opened) one.open = false;
  });
}

/** The reader's system decides until the reader does, for as long as the page is open. */
function addThemeSwitch() {
  const name = () => isDark() ? "Light" : "Dark";
  const button = element("button", {type: "button", id: "theme", onclick: () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    button.textContent = name();
  }}, name());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { button.textContent = name(); });
  document.getElementById("switches")?.append(button);
}
