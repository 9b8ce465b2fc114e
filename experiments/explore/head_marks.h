#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/attention/attention_record.h"
#include "analysis/attention/selectivity.h"

namespace kvscope {

/// A number of every head, and the heads that it marks.
struct HeadMark {
  std::string name{};                ///< of the number: "sparsity"
  std::string marked{};              ///< what marked heads are: "spatial"
  std::string help{};                ///< one line: what is measured, and from where on it marks
  std::vector<double> values{};      ///< [L * H]
  std::vector<uint8_t> is_marked{};  ///< [L * H] 0 or 1
};

/// What the literature calls the layers and heads of a record; whatever the record does not say is
/// left out, and `missing` says what would have to be recorded.
struct RecordMarks {
  std::optional<LayerRoles> roles{};  ///< drafters and refiners, `kvscope attention roles`
  std::vector<HeadMark> heads{};      ///< spatial or contextual heads, and sinks
  std::vector<std::string> missing{};
};

/// A sink pays at least this share to one token of the first step.
inline constexpr double kSinkShare = 0.3;

/// Image tokens per line of a next-token model; 0 where the record does not say.
int64_t line_tokens(const AttentionRecord& record);

/// With the defaults of `kvscope attention roles` and `heads`. Throws Error(kInput) for arrays that
/// contradict each other.
RecordMarks record_marks(const AttentionRecord& record);

}  // namespace kvscope
