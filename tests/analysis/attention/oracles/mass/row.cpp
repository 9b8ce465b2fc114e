#include "tests/analysis/attention/oracles/places.h"

namespace kvscope {

double oracle_mass_row(const NaiveRecording& seen, const Where& where) {
  return naive_near_mass(seen, where, [&](const NaivePlace& query, const NaivePlace& key) {
    return 100 * exact_distance(query.row, query.rows, key.row, key.rows) <=
           where("radius_percent") * 2 * query.rows * key.rows;
  });
}

}  // namespace kvscope
