// Places of ticks on an axis.

/** Round numbers from lowest to highest, about `count` of them or somewhat more. */
function niceTicks(lowest, highest, count = 5) {
  const rough = (highest - lowest) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(factor => factor * power).find(one => one >= rough);
  const ticks = [];
  for (let i = Math.ceil(lowest / step - 1e-9); i * step <= highest + 1e-9 * step; ++i) ticks.push(i * step);
  return ticks;
}
