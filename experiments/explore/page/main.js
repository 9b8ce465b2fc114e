// What is looked at, the frame around the views, and the way from a choice to what is drawn: views change
// app.state and call redraw(), or redraw what they know to have changed themselves.

const app = {records: [], colours: null, view: null, views: {}, state: {}};

function start() {
  const data = JSON.parse(blockText("records"));
  app.colours = new Colours(data.colours);
  app.records = data.records.map((description, i) => new AttentionRecord(description, "AB"[i]));
  const arrays = [...app.records[0].byName.keys()];
  app.state = {
    shown: "A",  // a record's letter, or "difference"
    array: arrays.includes("mass.step") ? "mass.step" : arrays[0],
    layer: 0, head: 0,
    pins: [],  // [layer, head] that curves follow
    order: "place", isFalling: true, isOwn: false, isRoot: true,
  };
  app.views = {overview: new Overview(), image: new ImageView(), curves: new CurvesView()};
  restoreTheme();
  drawOrigin();
  addEventListener("keydown", pressed);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  show("overview");
  globalThis.explorer = app;  // for consoles and tests
}

function show(name) {
  app.viewName = name;
  app.view = app.views[name];
  redraw();
}

function redraw() {
  document.getElementById("tip").hidden = true;
  drawViews();
  drawSwitches();
  const main = document.getElementById("view");
  main.className = app.viewName;
  main.replaceChildren();
  app.view.draw(main);
  drawHelp();
}

const viewTitles = {overview: "Heads", image: "Image", curves: "Curves"};

function drawViews() {
  document.getElementById("views").replaceChildren(...Object.entries(viewTitles).map(([name, title], i) =>
    element("button", {type: "button", "data-view": name, "aria-current": name === app.viewName ? "page" : null,
      title: `key ${i + 1}`, onclick: () => show(name)}, title)));
}

/** What the records are: a line for each. */
function drawOrigin() {
  const lines = app.records.map(record => element("p", {},
    app.records.length > 1 ? element("b", {class: "letter"}, record.letter) : null,
    [record.file, app.records.length > 1 ? record.model : "", `${record.images} image${record.images === 1 ? "" : "s"}`,
      `${record.layers} layers \u00d7 ${record.heads} heads`,
      record.point ? `point ${record.point.slice(0, 12)}` : ""].filter(Boolean).join(" \u00b7 ")));
  document.getElementById("origin").replaceChildren(...lines);
}

function drawSwitches() {
  const choices = {overview: [["A", "A"], ["B", "B"], ["difference", "B \u2212 A"]],
    curves: [["A", "A and B"], ["difference", "B \u2212 A"]], image: []}[app.viewName];
  const shown = app.records.length < 2 ? [] : choices.map(([value, text]) => toggle(text,
    app.state.shown === value || (app.viewName === "curves" && value === "A" && app.state.shown === "B"),
    () => showRecord(value), {"data-shown": value}));
  const dark = toggle(isDark() ? "Light" : "Dark", false, switchTheme, {title: "key t", id: "theme"});
  dark.removeAttribute("aria-pressed");
  document.getElementById("switches").replaceChildren(element("span", {class: "segments"}, shown), dark);
}

function showRecord(shown) {
  app.state.shown = shown;
  const record = shownRecord();
  app.state.layer = Math.min(app.state.layer, record.layers - 1);
  app.state.head = Math.min(app.state.head, record.heads - 1);
  redraw();
}

function nextRecord() {
  const all = app.viewName === "curves" ? ["A", "difference"] : ["A", "B", "difference"];
  showRecord(all[(all.indexOf(app.state.shown) + 1) % all.length]);
}

/** The record that layers, heads and orders are of; with a difference, the second. */
function shownRecord() {
  return app.state.shown === "A" ? app.records[0] : app.records[1];
}

/** The array of a name that is shown: a record's, their difference, or null where there is none. */
function shownArray(name) {
  if (app.state.shown !== "difference") return shownRecord().byName.get(name) ?? null;
  return difference(name);
}

function difference(name) {
  app.differences ??= new Map();
  if (!app.differences.has(name)) {
    app.differences.set(name, differenceOf(app.records[0].byName.get(name), app.records[1].byName.get(name)));
  }
  return app.differences.get(name);
}

/** [what it is called, array] of all that is to be seen of a name side by side. */
function arraysSideBySide(name) {
  if (app.records.length === 1) return [["", app.records[0].byName.get(name)]];
  return [["A", app.records[0].byName.get(name)], ["B", app.records[1].byName.get(name)],
    ["B \u2212 A", difference(name)]].filter(([, array]) => array);
}

/** Names of arrays of either record, in the order of the alphabet. */
function arrayNames() {
  return [...new Set(app.records.flatMap(record => [...record.byName.keys()]))].sort();
}

function isPinned(layer, head) {
  return app.state.pins.some(pin => pin[0] === layer && pin[1] === head);
}

function togglePin(layer, head) {
  const {pins} = app.state;
  app.state.pins = isPinned(layer, head) ? pins.filter(pin => pin[0] !== layer || pin[1] !== head)
                                         : [...pins, [layer, head]];
}

// Themes: the reader's system decides until the reader does; a browser that lets pages remember remembers.
function restoreTheme() {
  try {
    const kept = localStorage.getItem("kvscope-theme");
    if (kept === "dark" || kept === "light") document.documentElement.dataset.theme = kept;
  } catch { /* a page of a file may have no memory */ }
}

function switchTheme() {
  const theme = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("kvscope-theme", theme);
  } catch { /* likewise */ }
  redraw();
}
