#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kvscope {

/// Shape of a VQ image tokenizer: convolutional encoder and decoder around a codebook whose rows
/// count by direction only. LlamaGen (arXiv 2406.06525) publishes it as VQ-16 and VQ-8, Janus-Pro
/// uses VQ-16. The defaults are VQ-16.
struct VqConfig {
  int64_t base_channels = 128;
  std::vector<int64_t> channel_multipliers = {1, 1, 2, 2, 4};  ///< finest level first
  int64_t encoder_blocks = 2;     ///< residual blocks per level; the decoder has one more
  int64_t latent_channels = 256;  ///< between the networks and the two 1 x 1 convolutions
  int64_t codebook_entries = 16384;
  int64_t code_width = 8;    ///< numbers of a codebook row
  int64_t norm_groups = 32;  ///< of every group norm; divides base_channels

  [[nodiscard]] int64_t levels() const { return static_cast<int64_t>(channel_multipliers.size()); }
  /// Channels of level `level`, 0 being the finest.
  [[nodiscard]] int64_t channels(int64_t level) const;
  /// Pixels of one token's side.
  [[nodiscard]] int64_t stride() const { return int64_t{1} << (levels() - 1); }
  /// Throws Error(kConfig) naming the number that is out of range or does not divide.
  void check() const;
  bool operator==(const VqConfig&) const = default;
};

/// "vq_16" or "vq_8". Throws Error(kConfig) with the nearest name for another.
VqConfig published_vq(const std::string& name);

}  // namespace kvscope
