#pragma once

#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include "analysis/metrics/registry.h"
#include "experiments/results/result_file.h"

namespace kvscope {

/// One column of result.h5: where it lies, which member of a row or which metric it holds, and how
/// wide a row of it is (elements of a list, bytes of a text).
template <class T>
struct ResultColumn {
  std::string name;
  T ImageRow::*member;
  int64_t width = 1;
  std::string units = {};
  int64_t since = 1;               ///< schema version of the first files that have it
  const Metric* metric = nullptr;  ///< instead of a member; files older than it lack the column

  [[nodiscard]] T get(const ImageRow& row) const {
    if constexpr (std::is_same_v<T, double>) {
      if (metric != nullptr) return row.metrics[metric->name];
    }
    return row.*member;
  }
  void set(ImageRow& row, T value) const {
    if constexpr (std::is_same_v<T, double>) {
      if (metric != nullptr) {
        row.metrics[metric->name] = value;
        return;
      }
    }
    row.*member = std::move(value);
  }
};

/// u8 [images]: 1 where a row is complete. It is written after the row itself, so it never speaks
/// too soon.
inline constexpr const char* kWrittenPlace = "axes/written";
/// u64 [images]: row_check() of each.
inline constexpr const char* kCheckPlace = "axes/row_check";

/// Calls visit(ResultColumn<T>) for every column in the file's order: the one list that creating,
/// appending and reading share.
template <class Visit>
void for_each_column(const PointInfo& point, Visit&& visit) {
  const auto column = [&]<class T>(const char* name, T ImageRow::*member, const char* units = "",
                                   int64_t width = 1, int64_t since = 1) {
    if (width > 0) visit(ResultColumn<T>{name, member, width, units, since});
  };
  constexpr int64_t kSha256Digits = 64;
  constexpr int64_t kSkillBytes = 31;
  column("axes/image_id", &ImageRow::image_index);
  column("axes/seed", &ImageRow::seed);
  column("prompts/id", &ImageRow::prompt_id);
  column("prompts/text", &ImageRow::prompt, "", point.prompt_bytes);
  column("prompts/skill", &ImageRow::skill, "", kSkillBytes);
  column("timing/step_ms", &ImageRow::step_ms, "ms", point.steps);
  column("timing/attention_ms", &ImageRow::attention_ms, "ms");
  column("timing/policy_ms", &ImageRow::policy_ms, "ms");
  column("timing/total_ms", &ImageRow::total_ms, "ms");
  column("timing/batch", &ImageRow::batch, "images", 1, 3);
  column("memory/kv_planned", &ImageRow::kv_planned_bytes, "B");
  column("memory/kv_live", &ImageRow::kv_live_bytes, "B");
  column("memory/kv_peak", &ImageRow::kv_peak_bytes, "B");
  column("memory/kv_peak_planned", &ImageRow::kv_peak_planned_bytes, "B", 1, 2);
  column("memory/kv_allocated", &ImageRow::kv_allocated_bytes, "B");
  column("memory/allocator_peak", &ImageRow::allocator_peak_bytes, "B", 1, 2);
  column("memory/allocator_planned", &ImageRow::allocator_planned_bytes, "B", 1, 2);
  column("memory/device_peak", &ImageRow::device_peak_bytes, "B", 1, 2);
  column("tokens/sha256", &ImageRow::token_sha256, "", kSha256Digits);
  column("tokens/packed", &ImageRow::packed_tokens, "", point.token_bytes);
  for (const Metric& metric : metrics()) {
    if (metric.scope == MetricScope::kSet) continue;
    visit(ResultColumn<double>{.name = "metrics/" + metric.name,
                               .member = nullptr,
                               .units = metric.unit,
                               .metric = &metric});
  }
}

}  // namespace kvscope
