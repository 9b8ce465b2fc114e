#include "core/models/var/config.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <map>

#include "core/base/error.h"
#include "core/models/require_geometry.h"

namespace kvscope::var {
namespace {

constexpr std::array<int64_t, 10> kPatchNumbers256 = {1, 2, 3, 4, 5, 6, 8, 10, 13, 16};
constexpr std::array<int64_t, 10> kPatchNumbers512 = {1, 2, 3, 4, 6, 9, 13, 18, 24, 32};

}  // namespace

void TransformerConfig::check() const {
  require_geometry(depth > 0, fmt::format("depth {} must be positive", depth));
  require_geometry(heads > 0 && width > 0 && width % heads == 0,
                   fmt::format("width {} must be a positive multiple of heads {}", width, heads));
  require_geometry(classes > 0, fmt::format("classes {} must be positive", classes));
  // Ids are stored as 16-bit numbers.
  require_geometry(codes > 0 && codes <= 65536, fmt::format("codes {} not in 1..65536", codes));
  require_geometry(code_width > 0, fmt::format("code_width {} must be positive", code_width));
}

int64_t VqvaeConfig::channels(int64_t level) const {
  return base_channels * channel_multipliers.at(static_cast<size_t>(level));
}

void VqvaeConfig::check() const {
  require_geometry(levels() >= 1 && levels() <= 8,
                   fmt::format("vae.channel_multipliers has {} levels; expected 1..8", levels()));
  require_geometry(base_channels > 0 && norm_groups > 0,
                   fmt::format("vae.base_channels {} and vae.norm_groups {} must be positive",
                               base_channels, norm_groups));
  for (int64_t level = 0; level < levels(); ++level) {
    require_geometry(channels(level) > 0 && channels(level) % norm_groups == 0,
                     fmt::format("the {} channels of vae level {} must be a positive multiple of "
                                 "vae.norm_groups {}",
                                 channels(level), level, norm_groups));
  }
  require_geometry(encoder_blocks > 0 && encoder_blocks <= 64,
                   fmt::format("vae.encoder_blocks {} not in 1..64", encoder_blocks));
  require_geometry(codes > 0 && code_width > 0,
                   fmt::format("codebook of {} x {} must not be empty", codes, code_width));
  require_geometry(phis > 0 && phis <= 64, fmt::format("vae.phis {} not in 1..64", phis));
}

ScaleSchedule square_schedule(std::span<const int64_t> patch_numbers) {
  ScaleSchedule schedule;
  for (const int64_t side : patch_numbers) schedule.emplace_back(side, side);
  return schedule;
}

PublishedModel published_model(const std::string& name) {
  static const std::map<std::string, int64_t> depths = {
      {"var_d16", 16}, {"var_d20", 20}, {"var_d24", 24}, {"var_d30", 30}, {"var_d36", 36}};
  const auto found = depths.find(name);
  if (found == depths.end()) {
    std::vector<std::string> known;
    for (const auto& [known_name, depth] : depths) known.push_back(known_name);
    throw Error(ErrorKind::kConfig,
                "unknown VAR transformer '" + name + "'. " + suggestion(name, known));
  }
  const int64_t depth = found->second;
  PublishedModel model;
  model.transformer.depth = depth;
  model.transformer.heads = depth;
  model.transformer.width = 64 * depth;
  model.transformer.shared_ada_lin = depth == 36;
  model.schedule =
      depth == 36 ? square_schedule(kPatchNumbers512) : square_schedule(kPatchNumbers256);
  return model;
}

int64_t phi_of_scale(int64_t scale, int64_t scales, int64_t phis) {
  if (phis == 1 || scales == 1) return 0;
  const double share = static_cast<double>(scale) / static_cast<double>(scales - 1);
  const double start = 1.0 / 3.0 / static_cast<double>(phis);
  const double stop = 1.0 - start;
  const double step = (stop - start) / static_cast<double>(phis - 1);
  int64_t nearest = 0;
  double least = 2;
  for (int64_t phi = 0; phi < phis; ++phi) {
    const double product = static_cast<double>(phi) * step;
    const double tick = phi + 1 == phis ? stop : product + start;
    const double distance = std::abs(tick - share);
    if (distance < least) {
      least = distance;
      nearest = phi;
    }
  }
  return nearest;
}

}  // namespace kvscope::var
