// One head, large: its map with axes, its curve or its number, in both records where there are two, and
// what else is known of it.

function drawHeadDetail(place, shown) {
  const {layer, head, array: name} = app.state;
  const record = shownRecord();
  const panels = arraysSideBySide(name).filter(([, array]) => array.has(layer, array.hasHeads ? head : 0));
  const hasHeads = shown?.hasHeads ?? true;
  const parts = [element("h2", {}, hasHeads ? `Layer ${layer}, head ${head}` : `Layer ${layer}`)];
  const plain = panels.filter(([, array]) => !array.isDifference).map(([, array]) => array);
  const common = Shading.of(app.state.isOwn ? plain.map(array => array.of(layer, array.hasHeads ? head : 0))
                                            : plain.map(array => array.values), false, app.state.isRoot);
  const figures = [];
  for (const [title, array] of panels) {
    const at = array.hasHeads ? head : 0;
    const shading = array.isDifference
      ? Shading.of([app.state.isOwn ? array.of(layer, at) : array.values], true, app.state.isRoot) : common;
    figures.push(element("figure", {"data-panel": title || "A"},
      title ? element("figcaption", {}, element("b", {class: "letter"}, title)) : null,
      largeView(array, layer, at, shading)));
  }
  parts.push(element("div", {class: "figures"}, figures));
  if (hasHeads) {
    const facts = element("details", {open: !matchMedia("(max-width: 900px)").matches},
      element("summary", {}, "numbers of this head"), headFacts(record, layer, head));
    parts.push(headActions(layer, head), facts);
  }
  place.replaceChildren(...parts);
}

function largeView(array, layer, head, shading) {
  if (array.sides.length === 2) return largeMap(array, layer, head, shading);
  const numbers = array.of(layer, head);
  if (array.sides.length === 0) return element("p", {class: "large number"}, array.text(numbers[0]), element("small", {}, array.unit));
  return lineChart([{name: `${layer}\u00b7${head}`, colour: app.colours.series[0], points: [...numbers].map((value, i) =>
    ({x: i, value, text: valueText(array, layer, head, 0, i)}))}],
    {label: array.unit, across: array.sideNames[0], ticks: i => array.tick(0, i), height: 260, width: 420});
}

function largeMap(array, layer, head, shading) {
  const numbers = array.of(layer, head);
  const map = pixels(array.rows, array.columns, (row, column) => {
    const value = numbers[row * array.columns + column];
    return Number.isNaN(value) ? null : shading.colour(value);
  }, {class: "map", role: "img", "aria-label": `${array.name} of layer ${layer}, head ${head}`});
  explain(map, event => {
    const [x, y] = placeIn(map, event);
    return valueText(array, layer, head, Math.floor(y * array.rows), Math.floor(x * array.columns));
  });
  const most = side => array.tick(side, array.sides[side].first.length - 1).length > 3 ? 4 : 8;
  const labels = (side, count, property) => tickIndices(count, most(side)).map(index =>
    element("span", {style: `${property}:${(index + 0.5) / count * 100}%`}, array.tick(side, index)));
  return element("div", {class: "axes"},
    element("span", {class: "down name"}, array.sideNames[0]),
    element("div", {class: "down ticks"}, labels(0, array.rows, "top")), map,
    element("div", {class: "across ticks"}, labels(1, array.columns, "left")),
    element("span", {class: "across name"}, array.sideNames[1]));
}

/** At most `most` of 0 .. count - 1, evenly spaced from 0 on. */
function tickIndices(count, most) {
  const step = Math.ceil(count / most);
  return Array.from({length: Math.ceil(count / step)}, (_, i) => i * step);
}

/** All numbers of a head that heads can be ordered by, with its rank. */
function headFacts(record, layer, head) {
  const at = layer * record.heads + head;
  const rows = record.headNumbers.map(number => {
    const rank = 1 + number.values.filter(value => value > number.values[at]).length;
    const mark = record.headMarks.find(one => one.name === number.name);
    return element("tr", {title: mark?.help ?? null},
      element("th", {scope: "row"}, number.name, mark?.isMarked[at]
        ? element("i", {class: `mark ${mark.marked}`}, mark.marked) : null),
      element("td", {}, number.text(number.values[at])), element("td", {}, `${rank} of ${number.values.length}`));
  });
  return element("table", {class: "facts"},
    element("thead", {}, element("tr", {}, element("th", {}, app.records.length > 1 ? `of ${record.letter}` : ""),
      element("th", {}, "number"), element("th", {}, "rank"))), element("tbody", {}, rows));
}

function headActions(layer, head) {
  return element("p", {class: "actions"},
    toggle(isPinned(layer, head) ? "followed in curves" : "follow in curves", isPinned(layer, head), () => {
      togglePin(layer, head);
      app.view.mark();
      app.view.drawDetail();
    }, {id: "pin"}),
    element("button", {type: "button", id: "look", onclick: () => { app.views.image.heads = [head]; show("image"); }},
      "where it looks"));
}
