#include "tests/analysis/attention/oracles/places.h"

namespace kvscope {

double oracle_mass_column(const NaiveRecording& seen, const Where& where) {
  return naive_near_mass(seen, where, [&](const NaivePlace& query, const NaivePlace& key) {
    return 100 * exact_distance(query.column, query.columns, key.column, key.columns) <=
           where("radius_percent") * 2 * query.columns * key.columns;
  });
}

}  // namespace kvscope
