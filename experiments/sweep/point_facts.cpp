// What a point answers about itself.
#include <fmt/format.h>

#include <algorithm>

#include "core/config/format.h"
#include "experiments/sweep/point.h"
#include "policies/registry.h"

namespace kvscope {

std::string Point::label(std::string_view key) const {
  for (const auto& [name, text] : labels) {
    if (name == key) return text;
  }
  return "";
}

std::string Point::title() const {
  return fmt::format("{}, {}, {}", label("model"), label("policy"), label("budget"));
}

std::unique_ptr<Policy> Point::policy() const {
  auto policy = make_policy(config.at("policy"), *components);
  policy->tie_guidance_pairs(budget.tied_rows && generation.rows(1) == 2);
  return policy;
}

int64_t Point::images() const {
  return static_cast<int64_t>(prompts.size()) * generation.replicas;
}

const Prompt& Point::prompt_of(uint64_t image) const {
  return prompts.at(image / static_cast<uint64_t>(generation.replicas));
}

uint64_t Point::number_of(uint64_t image) const {
  return image_number(prompt_of(image).id, image % static_cast<uint64_t>(generation.replicas));
}

uint64_t Point::seed_of(uint64_t image) const {
  return image_seed(generation.seed_rule, generation.seed, prompt_of(image).id,
                    image % static_cast<uint64_t>(generation.replicas));
}

double Point::kept_tokens() const {
  const CacheGeometry& cache = plan.geometry();
  // A last step that is stored adds what nothing reads.
  const auto last = static_cast<int64_t>(cache.steps.size()) - (cache.steps.back().stored ? 2 : 1);
  return static_cast<double>(last < 0 ? 0 : plan.live_tokens(last)) /
         static_cast<double>(cache.layers * cache.heads);
}

double Point::full_tokens() const {
  return static_cast<double>(full_cache_tokens(facts.cache.steps));
}

PointInfo Point::info(const std::string& manifest_json, int64_t token_bytes) const {
  PointInfo info;
  info.point_hash = hash;
  info.setting_hash = setting_hash;
  info.config_yaml = to_yaml(config);
  info.overrides = overrides;
  info.manifest_json = manifest_json;
  info.labels = labels;
  info.full_cache = full_cache;
  info.kept_tokens = kept_tokens();
  info.full_tokens = full_tokens();
  info.budget_tokens = budget_tokens;
  info.target_tokens = target_tokens;
  info.images = images();
  info.replicas = generation.replicas;
  info.steps = static_cast<int64_t>(facts.cache.steps.size());
  info.token_bytes = token_bytes;
  info.metric_origins = metric_origins;
  for (const Prompt& prompt : prompts) {
    info.prompt_bytes = std::max(info.prompt_bytes, static_cast<int64_t>(prompt.text.size()));
  }
  return info;
}

}  // namespace kvscope
