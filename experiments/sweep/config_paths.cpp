#include "experiments/sweep/config_paths.h"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "analysis/metrics/registry.h"
#include "core/config/path.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPathKeys[] = {"model.weights",   "model.vae_weights", "model.text_weights",
                                     "model.tokenizer", "train.folder",      "train.start_from"};

std::string settled(const ConfigNode& node, const fs::path& root) {
  if (fs::path(node.as_string()).is_absolute() || !node.origin().source) return node.as_string();
  const fs::path path = fs::absolute(path_of(node)).lexically_normal();
  const fs::path below = path.lexically_relative(root);
  const bool is_below = !below.empty() && *below.begin() != "..";
  return (is_below ? below : path).string();
}

void replace(ConfigNode& node, const std::string& text) {
  ConfigNode path(text);
  path.set_origin(node.origin());
  path.label_paths(node.path());
  node = std::move(path);
}

std::vector<std::string> metric_path_keys() {
  std::vector<std::string> keys = {fmt::format("metrics.{}", kMetricWeightsFolder)};
  for (const MetricInput& input : all_metric_inputs()) {
    if (input.kind == MetricInput::Kind::kFile) keys.push_back("metrics." + input.key);
  }
  return keys;
}

}  // namespace

void settle_paths(ConfigNode& config, const fs::path& root) {
  for (const char* key : kPathKeys) {
    ConfigNode* node = config.find(key);
    if (node == nullptr || !node->is_string() || node->is_missing()) continue;
    if (node->as_string() == "random" || node->as_string().empty()) continue;
    replace(*node, settled(*node, root));
  }
  for (const std::string& key : metric_path_keys()) {
    ConfigNode* node = config.find(key);
    if (node == nullptr || !node->is_string() || node->is_missing()) continue;
    if (!node->origin().source) continue;
    replace(*node, fs::absolute(path_of(*node)).lexically_normal().string());
  }
}

}  // namespace kvscope
