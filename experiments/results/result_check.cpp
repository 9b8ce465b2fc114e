#include "experiments/results/result_check.h"

#include <type_traits>

#include "core/base/sha256.h"
#include "experiments/results/result_columns.h"

namespace kvscope {
namespace {

template <class T>
void add(Sha256& digest, const T& value) {
  if constexpr (std::is_arithmetic_v<T>) {
    digest.update(&value, sizeof(value));
  } else {
    const uint64_t size = value.size();
    digest.update(&size, sizeof(size));
    digest.update(value.data(), value.size() * sizeof(*value.data()));
  }
}

}  // namespace

StoredMetrics stored_metrics(const ImageRow& row) {
  StoredMetrics values;
  for (const Metric& metric : metrics()) {
    if (metric.scope != MetricScope::kSet) values[metric.name] = row.metrics[metric.name];
  }
  return values;
}

uint64_t row_check(const PointInfo& point,
                   const ImageRow& row,
                   const StoredMetrics& metrics,
                   int64_t version) {
  Sha256 digest;
  for_each_column(point, [&]<class T>(const ResultColumn<T>& column) {
    if (column.metric == nullptr && column.since <= version) add(digest, column.get(row));
  });
  for (const auto& [name, value] : metrics) {
    add(digest, name);
    add(digest, value);
  }
  return std::stoull(digest.hex_digest().substr(0, 16), nullptr, 16);
}

std::string head_check(const PointInfo& point, bool finished, int64_t finished_unix_ns) {
  Sha256 digest;
  for (const std::string* text :
       {&point.point_hash, &point.setting_hash, &point.config_yaml, &point.manifest_json}) {
    add(digest, *text);
  }
  for (const std::string& text : point.overrides) add(digest, text);
  for (const auto& [name, text] : point.labels) {
    add(digest, name);
    add(digest, text);
  }
  for (const double number : {point.kept_tokens, point.full_tokens}) add(digest, number);
  for (const int64_t number : {int64_t{point.full_cache}, point.budget_tokens, point.target_tokens,
                               point.images, point.replicas, point.steps, point.token_bytes,
                               point.prompt_bytes, int64_t{finished}, finished_unix_ns}) {
    add(digest, number);
  }
  if (!point.metric_origins.empty()) add(digest, origins_json(point.metric_origins));
  return digest.hex_digest();
}

}  // namespace kvscope
