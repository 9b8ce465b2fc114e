// Numbers as people read them.

function shownNumber(value, decimals) {
  if (Number.isNaN(value)) return "\u2014";
  if (!Number.isFinite(value)) return value > 0 ? "\u221e" : "\u2212\u221e";
  return value.toFixed(decimals).replace(/^-(?=0(\.0*)?$)/, "").replace("-", "\u2212");
}

function withUnit(text, unit) {
  return unit ? `${text} ${unit}` : text;
}

/** The ends of an interval, "[21.73, 26.89]"; nothing without one. */
function shownEnds(measured, metric) {
  if (!Number.isFinite(measured.low) || !Number.isFinite(measured.high)) return "";
  return `[${shownNumber(measured.low, metric.decimals)}, ${shownNumber(measured.high, metric.decimals)}]`;
}

/** "24.31 [21.73, 26.89] dB (over 2 of 4 images)", or why there is none. */
function shownMeasured(measured, metric) {
  if (measured.missing !== undefined) return `\u2014 (${measured.missing})`;
  const number = `${shownNumber(measured.value, metric.decimals)} ${shownEnds(measured, metric)}`.trim();
  return withUnit(number, metric.unit) + (measured.part ? ` (${measured.part})` : "");
}

/** A tick's number with the digits that tell it from the next. */
function shownTick(value, step) {
  const digits = Math.max(0, Math.min(8, Math.ceil(-Math.log10(step) - 1e-9)));
  return shownNumber(value, digits);
}
