#include "tests/analysis/attention/oracles/places.h"

namespace kvscope {

double oracle_mass_radius(const NaiveRecording& seen, const Where& where) {
  return naive_near_mass(seen, where, [&](const NaivePlace& query, const NaivePlace& key) {
    const int64_t height = 2 * query.rows * key.rows;
    const int64_t width = 2 * query.columns * key.columns;
    const int64_t y = exact_distance(query.row, query.rows, key.row, key.rows) * width;
    const int64_t x = exact_distance(query.column, query.columns, key.column, key.columns) * height;
    const int64_t radius = where("radius_percent") * height * width;
    return 10'000 * (y * y + x * x) <= radius * radius;
  });
}

}  // namespace kvscope
