#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/engine/attend.h"

namespace kvscope {

/// Where the queries of a next-token picture look, relative to themselves: the attention of every
/// head by lines above and columns beside, from which the share inside any neighbourhood follows.
class HeadOffsets {
 public:
  /// Adds one layer's step of the first `rows` rows. `columns` are its attention weights as
  /// column_sum() packs them, padding 0, slot s at offsets[s]. Only stored steps of one
  /// token count.
  void add(const LayerStep& layer_step,
           int64_t rows,
           std::span<const float> columns,
           std::span<const int64_t> offsets);

  /// Tokens a line; where the geometry does not say, the picture is one line. 0: nothing was added.
  [[nodiscard]] int64_t line_tokens() const { return line_tokens_; }
  /// Sums over queries and rows, [layers][heads][lines][2 * line_tokens - 1]: the weight on keys
  /// that lie so many lines above and, in the last dimension, line_tokens - 1 columns left of the
  /// query's own ... line_tokens - 1 right of it.
  [[nodiscard]] const std::vector<double>& image() const { return image_; }
  /// [layers][heads][tokens of a generation]: the weight on condition tokens so many positions
  /// back.
  [[nodiscard]] const std::vector<double>& condition() const { return condition_; }

 private:
  int64_t line_tokens_ = 0;
  int64_t lines_ = 0;
  int64_t tokens_ = 0;
  std::vector<double> image_;
  std::vector<double> condition_;
};

}  // namespace kvscope
