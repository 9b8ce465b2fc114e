#include "tests/analysis/attention/oracles/oracle.h"

namespace kvscope {

double oracle_map_query(const NaiveRecording& seen, const Where& where) {
  const StepInfo& on = seen.steps()[static_cast<size_t>(where("on_step"))];
  const bool raster = on.kind == StepKind::kToken;
  const int64_t begin = raster ? seen.steps().front().queries() : on.first_token;
  const int64_t width = raster ? seen.geometry.line_tokens : on.grid_width;
  double mass = 0;
  seen.each_line(seen.generations.front(), 0, where("layer"), where("head"), where("step"),
                 [&](const NaiveLine& line) {
                   if (line.query != where("query")) return;
                   for (int64_t y = where("line"); y < where("line") + where("lines"); ++y) {
                     for (int64_t x = where("column"); x < where("column") + where("columns");
                          ++x) {
                       const int64_t key = begin + y * width + x;
                       if (key < line.keys) mass += line.weights[key];
                     }
                   }
                 });
  return mass / group_of(seen);
}

}  // namespace kvscope
