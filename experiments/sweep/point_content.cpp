#include "experiments/sweep/point_content.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/config/format.h"
#include "experiments/sweep/digests.h"
#include "experiments/sweep/run_keys.h"

namespace kvscope {
namespace {

constexpr const char* kDigest = "sha256 of ";

void flatten(const ConfigNode& node,
             const std::string& key,
             const std::set<std::string>& left_out,
             PointContent& content) {
  if (left_out.contains(key)) return;
  if (!node.is_map() || node.entries().empty()) {
    content.emplace(key, canonical_json(node));
    return;
  }
  for (const ConfigEntry& entry : node.entries()) {
    flatten(entry.value, key.empty() ? entry.name : key + "." + entry.name, left_out, content);
  }
}

std::string shown(const std::string& key, const std::string& value) {
  return key.starts_with(kDigest) ? value.substr(0, 12) : value;
}

}  // namespace

PointContent point_content(const ConfigNode& config,
                           const std::vector<std::pair<std::string, std::string>>& digests) {
  PointContent content;
  const std::vector<std::string> outside = keys_outside_hash(config);
  flatten(config, "", {outside.begin(), outside.end()}, content);
  for (const auto& [key, digest] : digests) {
    content.emplace(key == kResultsVersionKey ? key : kDigest + key, digest);
  }
  return content;
}

PointContent point_content(const Point& point) {
  return point_content(point.config, all_digests(point));
}

std::vector<std::pair<std::string, std::string>> all_digests(const Point& point) {
  auto digests = point.digests;
  digests.emplace_back("prompts",
                       prompts_digest(source_prompts(point.config, *point.prompt_files)));
  return digests;
}

std::string ContentDifference::text() const {
  return fmt::format("{}: {} -> {}", key, shown(key, before), shown(key, now));
}

std::vector<ContentDifference> differences(const PointContent& before, const PointContent& now) {
  std::vector<ContentDifference> found;
  auto one = before.begin();
  auto other = now.begin();
  const auto add = [&](const std::string& key, const std::string& was, const std::string& is) {
    const bool lacks = was == "-" || is == "-";
    const bool is_file = key.starts_with(kDigest) || key == kResultsVersionKey;
    if (!lacks || !is_file) found.push_back({key, was, is});
  };
  while (one != before.end() || other != now.end()) {
    if (other == now.end() || (one != before.end() && one->first < other->first)) {
      add(one->first, one->second, "-");
      ++one;
    } else if (one == before.end() || other->first < one->first) {
      add(other->first, "-", other->second);
      ++other;
    } else {
      if (one->second != other->second) add(one->first, one->second, other->second);
      ++one;
      ++other;
    }
  }
  return found;
}

}  // namespace kvscope
