#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analysis/attention/attention_record.h"

namespace kvscope {

/// The query maps of a record as a page holds them: per (layer, head) one block, the queries' rows
/// one behind the other, each cut behind the last cell whose first token its step can see. Numbers
/// are IEEE halves, little-endian, those of the file.
class QueryMapPayload {
 public:
  /// `record` outlives it. Throws Error(kInput) where the axes of its map.query lack a coordinate,
  /// or coordinates lie outside the record's steps.
  explicit QueryMapPayload(const AttentionRecord& record);

  /// A coordinate of the queries (step, query) or cells (on_step, line, column, lines, columns).
  [[nodiscard]] const std::vector<int64_t>& query(const std::string& coordinate) const;
  [[nodiscard]] const std::vector<int64_t>& cell(const std::string& coordinate) const;
  /// [queries] numbers in the row of each.
  [[nodiscard]] const std::vector<int64_t>& row_lengths() const { return row_lengths_; }
  [[nodiscard]] int64_t block_bytes() const;
  [[nodiscard]] std::string block(int64_t layer, int64_t head) const;

  /// Layers whose blocks, in base64, stay together below `most_bytes`: all, or evenly spaced ones,
  /// at least one.
  [[nodiscard]] std::vector<int64_t> fitting_layers(int64_t most_bytes) const;

 private:
  void check(const AttentionRecord& record) const;

  const NamedArray& map_;
  std::vector<int64_t> row_lengths_;
};

}  // namespace kvscope
