#pragma once

#include <cstdint>
#include <vector>

#include "analysis/attention/named_array.h"
#include "core/engine/plan.h"

namespace kvscope {

/// Where a next-token image's tokens lie on its lines.
struct ImageOffsets {
  int64_t condition_tokens = 0;
  int64_t tokens = 0;       ///< of a generation
  int64_t line_tokens = 1;  ///< where the geometry does not say, the image is one line
  int64_t lines = 1;
  int64_t queries = 0;  ///< image tokens that look: the last one is never fed

  static ImageOffsets of(const std::vector<StepInfo>& steps, int64_t line_tokens);
  static ImageOffsets of(const CacheGeometry& geometry) {
    return of(geometry.steps, geometry.line_tokens);
  }

  /// Whether the step's query is one of those that look.
  [[nodiscard]] static bool looks(const StepInfo& step) {
    return step.kind == StepKind::kToken && step.stored;
  }
  /// "lines_above": 0 .. lines - 1.
  [[nodiscard]] ArrayAxis lines_above_axis() const;
  /// "columns_beside": 1 - line_tokens .. line_tokens - 1; left of the query is negative.
  [[nodiscard]] ArrayAxis columns_beside_axis() const;
  /// "tokens_back": 0 .. tokens - 1.
  [[nodiscard]] ArrayAxis tokens_back_axis() const;
};

}  // namespace kvscope
