#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/engine/plan.h"
#include "core/models/next_scale/schedule.h"
#include "core/models/shared/cache_geometry.h"

namespace kvscope::var {

/// Shape of a VAR transformer (arXiv 2404.02905), enough to name and size every tensor. With the
/// schedule, whose tokens each have a learned position.
struct TransformerConfig {
  int64_t depth = 0;
  int64_t width = 0;
  int64_t heads = 0;
  int64_t classes = 1000;       ///< labels; one more row of class_emb means "no label"
  bool shared_ada_lin = false;  ///< one adaLN for all blocks, as d36; else one per block
  int64_t codes = 4096;         ///< entries of the codebook
  int64_t code_width = 32;      ///< channels of an entry

  [[nodiscard]] int64_t head_dim() const { return width / heads; }
  [[nodiscard]] AttentionShape attention() const {
    return {.layers = depth, .heads = heads, .head_dim = head_dim()};
  }
  [[nodiscard]] int64_t ffn_width() const { return 4 * width; }
  /// Throws Error(kConfig) where heads do not divide width or a size is not positive.
  void check() const;
};

/// The image side: a multi-scale vector-quantised autoencoder.
struct VqvaeConfig {
  int64_t base_channels = 160;
  std::vector<int64_t> channel_multipliers = {1, 1, 2, 2, 4};  ///< finest level first
  int64_t encoder_blocks = 2;  ///< residual blocks per level; the decoder has one more
  int64_t norm_groups = 32;    ///< divides the channels of every level
  int64_t codes = 4096;
  int64_t code_width = 32;
  int64_t phis = 4;  ///< residual convolutions that the scales share

  [[nodiscard]] int64_t levels() const { return static_cast<int64_t>(channel_multipliers.size()); }
  /// Channels of level `level`, 0 being the finest.
  [[nodiscard]] int64_t channels(int64_t level) const;
  /// Pixels of one token's side on the last scale.
  [[nodiscard]] int64_t stride() const { return int64_t{1} << (levels() - 1); }
  /// Throws Error(kConfig) naming the number that is out of range or does not divide.
  void check() const;
};

/// (n, n) of every patch number n.
ScaleSchedule square_schedule(std::span<const int64_t> patch_numbers);

struct PublishedModel {
  TransformerConfig transformer;
  ScaleSchedule schedule;
};

/// "var_d16", "var_d20", "var_d24", "var_d30" (256 x 256 pixels) or "var_d36" (512 x 512). Throws
/// Error(kConfig) with the nearest name for another.
PublishedModel published_model(const std::string& name);

/// Which of `phis` residual convolutions scale `scale` of `scales` uses: the one whose tick lies
/// nearest to its share of the way, ticks spread evenly from 1 / (3 phis) to 1 - 1 / (3 phis). In
/// double, as the reference: two of ten scales fall exactly between ticks and rounding decides.
int64_t phi_of_scale(int64_t scale, int64_t scales, int64_t phis);

}  // namespace kvscope::var
