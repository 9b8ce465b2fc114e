#include "analysis/attention/former_names.h"

#include <algorithm>
#include <utility>

namespace kvscope {
namespace {

constexpr std::pair<const char*, const char*> kRenamed[] = {
    {"step_mass", "mass.step"},
    {"key_mass", "mass.key"},
    {"history_top_mass", "mass.history_top"},
    {"offset_mass", "mass.offset"},
    {"condition_mass", "mass.condition"},
    {"unconditional_step_mass", "mass.unconditional_step"},
    {"top_mass", "mass.top"},
    {"covering_keys", "mass.covering_keys"},
    {"text_mass", "mass.text"},
    {"first_tokens_mass", "mass.first_tokens"},
    {"first_scales_mass", "mass.first_scales"},
    {"received_mass", "mass.received"},
    {"radius_mass", "mass.radius"},
    {"row_mass", "mass.row"},
    {"column_mass", "mass.column"},
    {"s_cas", "mass.s_cas"},
    {"sink_mass", "sink.mass"},
    {"sink_keys", "sink.keys"},
    {"sink_value_norm", "sink.value_norm"},
    {"value_norm", "sink.all_value_norm"},
    {"query_entropy", "entropy.query"},
    {"query_entropy_variance", "entropy.query_variance"},
    {"token_entropy", "entropy.token"},
    {"window_entropy", "entropy.window"},
    {"window_variance", "variance.window"},
    {"query_variance", "variance.query"},
    {"mean_distance", "distance.mean"},
    {"scale_distance", "distance.scale"},
    {"key_similarity", "similarity.key"},
    {"key_distance", "distance.key"},
    {"pattern_similarity", "similarity.pattern"},
    {"effective_rank", "rank.effective"},
    {"stable_rank", "rank.stable"},
    {"key_channel_max", "magnitude.key_channel"},
    {"key_token_max", "magnitude.key_token"},
    {"value_channel_max", "magnitude.value_channel"},
    {"value_token_max", "magnitude.value_token"},
    {"hidden_channel_max", "magnitude.hidden_channel"},
    {"hidden_token_max", "magnitude.hidden_token"},
    {"guidance_key_difference", "guidance.key_difference"},
    {"guidance_value_difference", "guidance.value_difference"},
    {"query_map", "map.query"},
    {"raw", "map.raw"},
};

}  // namespace

std::string name_since_version_3(const std::string& name) {
  const auto* const found =
      std::ranges::find_if(kRenamed, [&](const auto& renamed) { return renamed.first == name; });
  return found == std::end(kRenamed) ? name : found->second;
}

}  // namespace kvscope
