#include "experiments/sweep/metric_settings.h"

#include <fmt/format.h>

#include <algorithm>

#include "analysis/metrics/registry.h"
#include "core/base/error.h"
#include "core/base/sha256.h"
#include "experiments/sweep/published_digest.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

constexpr const char* kGroup = "metrics.";

/// Of a folder, the names and digests of everything in it.
std::string digest_of(const std::string& key, const fs::path& path, FileDigests& files) {
  std::error_code unknown;
  if (!fs::is_directory(path, unknown)) return files.of(path.string(), kGroup + key);
  std::vector<fs::path> found;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    if (entry.is_regular_file(unknown)) found.push_back(entry.path());
  }
  std::ranges::sort(found);
  Sha256 all;
  for (const fs::path& file : found) {
    all.update(fmt::format("{} {}\n", file.lexically_relative(path).string(),
                           files.of_file(fs::canonical(file))));
  }
  return all.hex_digest();
}

/// A file under a published name is refused where it is not the one that was published.
void check_published_digest(const std::string& key, const fs::path& path, FileDigests& files) {
  const std::string expected = published_digest(path);
  std::error_code unknown;
  if (expected.empty() || !fs::is_regular_file(path, unknown)) return;
  const std::string& digest = files.of_file(fs::canonical(path));
  if (digest.starts_with(expected)) return;
  throw Error(ErrorKind::kInput,
              fmt::format("{}{}={}: the published file of this name has a SHA-256 that begins with "
                          "{}, but it begins with {}: it is another one, or not all of it; fetch "
                          "it again, or give it another name",
                          kGroup, key, path.string(), expected.substr(0, 16),
                          digest.substr(0, std::min<size_t>(expected.size(), 16))));
}

}  // namespace

void settle_metric_files(ConfigNode& config, const std::vector<std::string>& metrics) {
  const ConfigNode* named = config.find(fmt::format("{}{}", kGroup, kMetricWeightsFolder));
  const ConfigNode folder = named == nullptr ? ConfigNode() : *named;  // what is set moves others
  std::error_code unknown;
  for (const std::string& name : metrics) {
    const Metric& metric = metric_named(name);
    for (const MetricInput& input : metric.inputs) {
      if (input.kind != MetricInput::Kind::kFile || input.file_name.empty()) continue;
      const ConfigNode* given = config.find(kGroup + input.key);
      const bool is_given = given != nullptr && given->is_string();
      if (is_given || !folder.is_string()) continue;
      const fs::path file = fs::path(folder.as_string()) / input.file_name;
      if (!fs::exists(file, unknown)) continue;
      ConfigNode path(file.string());
      path.set_origin(folder.origin());
      config.set_path(kGroup + input.key, std::move(path));
      config.child("metrics")->label_paths("metrics");
    }
    require_inputs(metric, metric_inputs_of(config));
  }
}

MetricInputs metric_inputs_of(const ConfigNode& config) {
  MetricInputs inputs;
  for (const MetricInput& input : all_metric_inputs()) {
    const ConfigNode* node = config.find(kGroup + input.key);
    if (node == nullptr) continue;
    if (node->is_string()) inputs.set(input.key, node->as_string());
    if (node->kind() == ConfigKind::kInt)
      inputs.set(input.key, fmt::format("{}", node->as_int64()));
  }
  return inputs;
}

MetricOrigin metric_origin(const Metric& metric, const MetricInputs& inputs, FileDigests& files) {
  MetricOrigin origin{.implementation = metric.implementation};
  for (const MetricInput& input : metric.inputs) {
    const std::optional<std::string> value = inputs.find(input.key);
    if (!value) continue;
    const bool is_file = input.kind == MetricInput::Kind::kFile;
    if (is_file) check_published_digest(input.key, *value, files);
    origin.inputs[input.key] = is_file ? digest_of(input.key, *value, files) : *value;
  }
  return origin;
}

MetricOrigins metric_origins(const std::vector<std::string>& metrics,
                             const MetricInputs& inputs,
                             FileDigests& files) {
  MetricOrigins origins;
  for (const std::string& name : metrics) {
    const Metric& metric = metric_named(name);
    if (metric.implementation.empty()) continue;
    origins.emplace(name, metric_origin(metric, inputs, files));
  }
  return origins;
}

}  // namespace kvscope
