#include "policies/store/kivi.h"

#include <fmt/core.h>

#include "core/base/error.h"
#include "policies/component.h"

namespace kvscope {

TokenFormat kivi_format(const KiviOptions& options,
                        at::ScalarType key_type,
                        at::ScalarType value_type) {
  return {.keys = {.bits = options.key_bits,
                   .axis = GroupAxis::kTokens,
                   .group = options.group_tokens,
                   .residual_tokens = options.residual_tokens,
                   .scale_type = key_type},
          .values = {.bits = options.value_bits,
                     .axis = GroupAxis::kChannels,
                     .group = options.group_channels,
                     .residual_tokens = options.residual_tokens,
                     .scale_type = value_type}};
}

namespace {

class StoreKivi : public Store {
 public:
  explicit StoreKivi(const KiviOptions& options) : options_(options) {}

  [[nodiscard]] CacheGeometry format(CacheGeometry geometry) const override {
    geometry.format = kivi_format(options_, geometry.key_type, geometry.value_type);
    return geometry;
  }

 private:
  KiviOptions options_;
};

}  // namespace

/// KIVI (arXiv:2402.02750): keys in groups of tokens for every channel, values in groups of
/// channels for every token, the newest tokens in full (policies/store/kivi.h).
std::unique_ptr<Store> make_store_kivi(Options& options) {
  KiviOptions kivi;
  const int64_t bits = options.integer({.key = "bits",
                                        .default_value = kivi.key_bits,
                                        .min = 2,
                                        .unit = "bits",
                                        .help = "of a code: 2, 4 or 8"});
  kivi.key_bits = options.integer({.key = "key_bits",
                                   .default_value = bits,
                                   .min = 2,
                                   .unit = "bits",
                                   .help = "of a key's code",
                                   .default_from = "bits"});
  kivi.value_bits = options.integer({.key = "value_bits",
                                     .default_value = bits,
                                     .min = 2,
                                     .unit = "bits",
                                     .help = "of a value's code",
                                     .default_from = "bits"});
  kivi.group_tokens =
      options.integer({.key = "group_tokens",
                       .default_value = kivi.group_tokens,
                       .min = 1,
                       .unit = "tokens",
                       .help = "neighbouring tokens of a key channel that share a scale"});
  kivi.group_channels =
      options.integer({.key = "group_channels",
                       .default_value = kivi.group_tokens,
                       .min = 1,
                       .unit = "channels",
                       .help = "neighbouring channels of a value that share a scale",
                       .default_from = "group_tokens"});
  kivi.residual_tokens =
      options.integer({.key = "residual_tokens",
                       .default_value = kivi.residual_tokens,
                       .min = 1,
                       .unit = "tokens",
                       .help = "R, the paper has 128: the first floor(n / R) R of n keys are "
                               "packed and all values but the newest R; a multiple of group_tokens "
                               "(of 32 / key_bits too, so that codes fill words)"});
  const TokenFormat format = kivi_format(kivi, at::kFloat, at::kFloat);
  for (const SideFormat* side : {&format.keys, &format.values}) {
    const std::string complaint = side->complaint();
    if (complaint.empty()) continue;
    throw Error(
        ErrorKind::kConfig,
        fmt::format(
            "{}: {}",
            options.place(complaint.find("bits") == std::string::npos ? "residual_tokens" : "bits"),
            complaint));
  }
  return std::make_unique<StoreKivi>(kivi);
}

}  // namespace kvscope
