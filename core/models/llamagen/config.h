#pragma once

#include <cstdint>
#include <string>

#include "core/models/next_token/decoder.h"

namespace kvscope::llamagen {

/// What an image is made of: one of the classes, or a caption.
enum class Conditioning : uint8_t { kClass, kText };

/// Shape of a LlamaGen transformer (arXiv 2406.06525).
struct LlamaGenConfig {
  /// `feed_forward_width` 0: 2/3 of 4 widths, rounded up to a multiple of 256.
  next_token::DecoderConfig decoder{.norm_epsilon = 1e-5};
  Conditioning conditioning = Conditioning::kClass;
  int64_t classes = 1000;        ///< without the null class behind them
  int64_t caption_tokens = 120;  ///< rows of text features
  int64_t caption_channels = 2048;
  int64_t image_vocabulary = 16384;
  int64_t grid_height = 24;
  int64_t grid_width = 24;
  double rope_theta = 10000;

  /// Tokens of the prefill.
  [[nodiscard]] int64_t condition_tokens() const {
    return conditioning == Conditioning::kClass ? 1 : caption_tokens;
  }
  [[nodiscard]] int64_t image_tokens() const { return grid_height * grid_width; }
  /// Throws Error(kConfig) naming the number that is out of range. head_dim must be a multiple
  /// of 4.
  void check() const;
};

int64_t feed_forward_width(int64_t width);

/// "llamagen_b", "_l", "_xl", "_xxl", "_3b", and the unreleased "_1b", "_xxxl", "_7b". Throws
/// Error(kConfig) with the nearest name for another.
LlamaGenConfig published_llamagen(const std::string& name);

}  // namespace kvscope::llamagen
