// A chart of lines: numbers over steps or layers, exact values under the pointer.

/**
 * `series`: [{name, colour, isDashed, points: [{x, value, text}]}], x from 0 on; `options`: label and across name the
 * axes, ticks(x) says what stands below; letters keep their size where width is what the chart gets.
 */
function lineChart(series, {label = "", across = "", ticks = String, height = 300, width = 640} = {}) {
  const [left, right, top, bottom] = [58, 12, 14, 40];
  const values = series.flatMap(one => one.points.map(point => point.value)).filter(Number.isFinite);
  const count = 1 + Math.max(0, ...series.flatMap(one => one.points.map(point => point.x)));
  let lowest = Math.min(0, ...values);
  let highest = Math.max(0, ...values);
  if (lowest === highest) highest = lowest + 1;
  const room = 0.04 * (highest - lowest);
  if (highest > 0) highest += room;
  if (lowest < 0) lowest -= room;
  const x = index => left + (count === 1 ? 0.5 : index / (count - 1)) * (width - left - right);
  const y = value => top + (highest - value) / (highest - lowest) * (height - top - bottom);
  const svg = svgElement("svg", {viewBox: `0 0 ${width} ${height}`, class: "chart", role: "img", "aria-label": `${label} over ${across}`});
  for (const value of niceTicks(lowest, highest)) {
    svg.append(svgElement("line", {x1: left, x2: width - right, y1: y(value), y2: y(value), class: value === 0 ? "zero" : "rule"}),
      svgElement("text", {x: left - 6, y: y(value) + 4, class: "end"}, roundText(value)));
  }
  for (const index of tickIndices(count, (width / 64) / (ticks(count - 1).length > 3 ? 1.6 : 1))) {
    svg.append(svgElement("text", {x: x(index), y: height - bottom + 17, class: "middle"}, ticks(index)));
  }
  svg.append(svgElement("text", {x: (left + width - right) / 2, y: height - 4, class: "middle axis"}, across),
    svgElement("text", {x: 4, y: 10, class: "axis"}, label));
  for (const one of series) svg.append(...seriesLines(one, x, y));
  const marker = svgElement("circle", {r: 4.5, class: "marker", visibility: "hidden"});
  svg.append(marker);
  explain(svg, event => nearestPoint(svg, event, series, width, height, x, y, marker));
  svg.addEventListener("pointerleave", () => marker.setAttribute("visibility", "hidden"));
  return svg;
}

/** A line is broken where a number is missing; a single point is a dot. */
function seriesLines(one, x, y) {
  const lines = [];
  let run = [];
  const close = () => {
    if (run.length > 1) {
      lines.push(svgElement("polyline", {points: run.join(" "), class: one.isDashed ? "line dashed" : "line", style: `stroke:${one.colour}`}));
    }
    run = [];
  };
  for (const point of one.points) {
    if (Number.isFinite(point.value)) run.push(`${x(point.x).toFixed(1)},${y(point.value).toFixed(1)}`);
    else close();
  }
  close();
  const dots = one.isBare || one.points.length <= 40 ? one.points : [];
  return [...one.isBare ? [] : lines, ...dots.filter(point => Number.isFinite(point.value)).map(point =>
    svgElement("circle", {cx: x(point.x), cy: y(point.value), r: 2.4, class: "dot", style: `fill:${one.colour}`}))];
}

function nearestPoint(svg, event, series, width, height, x, y, marker) {
  const [partX, partY] = placeIn(svg, event);
  let nearest = null;
  let least = Infinity;
  for (const one of series) {
    for (const point of one.points) {
      if (!Number.isFinite(point.value)) continue;
      const distance = (x(point.x) - partX * width) ** 2 * 4 + (y(point.value) - partY * height) ** 2;
      if (distance < least) [least, nearest] = [distance, {one, point}];
    }
  }
  if (!nearest) return null;
  setAttributes(marker, {cx: x(nearest.point.x), cy: y(nearest.point.value), visibility: "visible", style: `stroke:${nearest.one.colour}`});
  return nearest.point.text;
}
