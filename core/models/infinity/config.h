#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/engine/plan.h"
#include "core/models/next_scale/schedule.h"
#include "core/models/shared/cache_geometry.h"

namespace kvscope::infinity {

/// Shape of an Infinity transformer (arXiv 2412.04431), enough to name and size every tensor.
struct TransformerConfig {
  int64_t depth = 0;
  int64_t chunks =
      1;  ///< layers are named block_chunks.{i}.module.{j}; 1 chunk: blocks.{n} is accepted too
  int64_t width = 0;
  int64_t heads = 0;
  int64_t feed_forward_width = 0;  ///< 0: 4 * width rounded to a multiple of 256, half to even
  int64_t text_channels = 2048;
  int64_t text_max_tokens = 512;
  int64_t code_bits = 0;       ///< d: bits of one VAE latent pixel
  bool patchify = false;       ///< 2 x 2 latent pixels per token: 4 d bits per token
  bool shared_ada_lin = true;  ///< false: every block has its own ada_lin.1
  bool swiglu = false;         ///< unused by the released models
  int64_t rope_mode = 2;       ///< 0 raw grid, 1 resampled table, 2 rounded into the rope grid
  int64_t level_rows = 15;     ///< rows of lvl_embed

  [[nodiscard]] int64_t head_dim() const { return width / heads; }
  [[nodiscard]] AttentionShape attention() const {
    return {.layers = depth, .heads = heads, .head_dim = head_dim()};
  }
  [[nodiscard]] int64_t token_bits() const { return patchify ? 4 * code_bits : code_bits; }
  [[nodiscard]] int64_t ffn_width() const;
  [[nodiscard]] int64_t pool_heads() const;
  /// Throws Error(kConfig) where heads do not divide width, head_dim is not a multiple of 4, ...
  void check() const;
};

/// The image side: a multi-scale binary-spherical-quantised autoencoder.
struct VaeConfig {
  int64_t code_bits = 0;
  int64_t base_channels = 128;
  std::vector<int64_t> channel_multipliers = {1, 2, 4, 4, 4};
  int64_t encoder_blocks = 2;  ///< ResBlocks per level; the decoder has one more
  int64_t norm_groups = 32;

  [[nodiscard]] int64_t stride() const { return int64_t{1} << (channel_multipliers.size() - 1); }
};

using Schedule = ScaleSchedule;

/// One image size: the token schedule, the grid that positions refer to, and the latent size.
struct ImageGeometry {
  Schedule schedule;
  std::pair<int64_t, int64_t>
      rope_grid;  ///< (uph, upw): last scale of the 1M schedule of the ratio

  /// Latent pixels (height, width) of scale `si`: the token grid, doubled under patchify.
  [[nodiscard]] std::pair<int64_t, int64_t> latent(int64_t si, bool patchify) const;
};

/// The published schedules: 15 aspect ratios (h/w, nearest template) x pixels "0.06M" | "0.25M" |
/// "0.60M" | "1M". Throws Error(kConfig) for an unknown pixel budget.
ImageGeometry published_geometry(double height_over_width, const std::string& pixels);
/// Templates of h/w, ascending.
std::vector<double> published_ratios();

/// Published sizes by name ("infinity_2b", "infinity_8b", "infinity_layer12", ...).
TransformerConfig published_transformer(const std::string& name);
VaeConfig published_vae(int64_t code_bits, bool patchify);

}  // namespace kvscope::infinity
