// One head's part of an array, small: a map, a curve, or a coloured number.

function thumbnail(array, layer, head, shading) {
  const numbers = array.of(layer, head);
  if (array.sides.length === 2) {
    return pixels(array.rows, array.columns, (row, column) => {
      const value = numbers[row * array.columns + column];
      return Number.isNaN(value) ? null : shading.colour(value);
    }, {class: "thumb"});
  }
  if (array.sides.length === 1) return smallCurve(numbers, shading);
  const colour = shading.colour(numbers[0]);
  return element("span", {class: "thumb number", style: `background:${cssColour(colour)};color:${inkOn(colour)}`},
    roundText(numbers[0]));
}

/** A line on a ground whose colour is that of the mean. */
function smallCurve(numbers, shading) {
  const width = 72;
  const height = 72;
  const low = Math.min(0, shading.lowest);
  const span = shading.highest - low || 1;
  const points = [];
  numbers.forEach((value, i) => {
    if (Number.isNaN(value)) return;
    const x = numbers.length === 1 ? width / 2 : 3 + i / (numbers.length - 1) * (width - 6);
    points.push(`${x.toFixed(1)},${(height - 4 - (value - low) / span * (height - 8)).toFixed(1)}`);
  });
  const line = svgElement("polyline", {points: points.join(" "), class: "line"});
  const ground = height - 4 - (0 - low) / span * (height - 8);
  return svgElement("svg", {viewBox: `0 0 ${width} ${height}`, class: "thumb curve", preserveAspectRatio: "none"},
    svgElement("line", {x1: 0, x2: width, y1: ground, y2: ground, class: "zero"}), line);
}
