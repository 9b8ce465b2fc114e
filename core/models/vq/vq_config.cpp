#include "core/models/vq/vq_config.h"

#include <fmt/format.h>

#include "core/base/error.h"

namespace kvscope {
namespace {

// Beyond these no image tokenizer is meant, and below them no product of two overflows.
constexpr int64_t kMostLevels = 8;
constexpr int64_t kMostChannels = int64_t{1} << 16;
constexpr int64_t kMostEntries = int64_t{1} << 24;

void check_range(const char* key, int64_t value, int64_t most) {
  if (value < 1 || value > most) {
    throw Error(ErrorKind::kConfig, fmt::format("vq.{}={} is not in 1..{}", key, value, most));
  }
}

}  // namespace

int64_t VqConfig::channels(int64_t level) const {
  return base_channels * channel_multipliers.at(static_cast<size_t>(level));
}

void VqConfig::check() const {
  check_range("base_channels", base_channels, kMostChannels);
  check_range("encoder_blocks", encoder_blocks, 64);
  check_range("latent_channels", latent_channels, kMostChannels);
  check_range("codebook_entries", codebook_entries, kMostEntries);
  check_range("code_width", code_width, kMostChannels);
  check_range("norm_groups", norm_groups, kMostChannels);
  if (channel_multipliers.empty() || levels() > kMostLevels) {
    throw Error(
        ErrorKind::kConfig,
        fmt::format("vq.channel_multipliers has {} levels; expected 1..{}", levels(), kMostLevels));
  }
  if (base_channels % norm_groups != 0) {  // then of every level
    throw Error(ErrorKind::kConfig,
                fmt::format("vq.norm_groups={} does not divide vq.base_channels={}", norm_groups,
                            base_channels));
  }
  for (const int64_t multiplier : channel_multipliers) {
    check_range("channel_multipliers", multiplier, kMostChannels / base_channels);
  }
}

VqConfig published_vq(const std::string& name) {
  if (name == "vq_16") return {};
  VqConfig config;
  config.channel_multipliers = {1, 2, 2, 4};
  if (name == "vq_8") return config;
  throw Error(ErrorKind::kConfig,
              "unknown image tokenizer '" + name + "'. " + suggestion(name, {"vq_16", "vq_8"}));
}

}  // namespace kvscope
