// Keys. Every view lists its own as [keys, what they do, action(event)]; the line at the bottom shows them.

const commonKeys = () => [
  [["1"], "heads", () => show("overview")],
  [["2"], "image", () => show("image")],
  [["3"], "curves", () => show("curves")],
  ...(app.records.length > 1 && app.viewName !== "image" ? [[["c"], "A, B, difference", nextRecord]] : []),
  [["t"], "light or dark", switchTheme],
];

const keyNames = {ArrowLeft: "\u2190", ArrowRight: "\u2192", ArrowUp: "\u2191", ArrowDown: "\u2193", Enter: "\u21b5"};

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (/^(SELECT|INPUT|TEXTAREA)$/.test(event.target.tagName)) return;
  for (const [keys, , action] of [...app.view.keys(), ...commonKeys()]) {
    if (!keys.includes(event.key)) continue;
    event.preventDefault();
    action(event);
    return;
  }
}

function drawHelp() {
  const entries = [...app.view.keys(), ...commonKeys()].map(([keys, text]) =>
    element("span", {class: "key"}, keys.map(key => element("kbd", {}, keyNames[key] ?? key)), ` ${text}`));
  document.getElementById("help").replaceChildren(...entries);
}
