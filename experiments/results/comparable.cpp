#include "experiments/results/comparable.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core/base/sha256.h"
#include "experiments/results/point_labels.h"

namespace kvscope {
namespace {

/// The digests of a point's files, as its manifest has them; an empty map where it has none.
nlohmann::json digests_of(const PointInfo& point) {
  const auto manifest = nlohmann::json::parse(point.manifest_json, nullptr, false);
  const bool has = manifest.is_object() && manifest.contains("sha256");
  return has && manifest["sha256"].is_object() ? manifest["sha256"] : nlohmann::json::object();
}

bool is_below(const std::string& key, std::string_view group) {
  return key == group || (key.starts_with(group) && key.substr(group.size()).starts_with('.'));
}

/// What has to be equal, by name. Prompts and seeds stand in it as they were made, not as settings:
/// a file of prompts may have any name.
PointSettings shared_facts(const PointSummary& point) {
  PointSettings facts = point.settings;
  const nlohmann::json digests = digests_of(point.point());
  std::erase_if(facts, [&](const auto& fact) {
    const std::string& key = fact.first;
    static constexpr const char* kElsewhere[] = {"policy", "budget",   "prompts",      "prompt",
                                                 "name",   "gen.seed", "gen.replicas", "gen.images",
                                                 "seed",   "metrics"};
    // A digest says which file it was, whatever it is called.
    return digests.contains(key) ||
           std::ranges::any_of(kElsewhere, [&](const char* other) { return is_below(key, other); });
  });
  facts["model"] = point.point().label("model");
  for (const auto& [key, digest] : digests.items()) {
    if (is_below(key, "model")) facts[key] = digest.dump().substr(1, 8);
  }
  std::vector<std::string> images;
  for (const ImageRow& row : point.result.rows) {
    images.push_back(fmt::format("{} {}\n", row.seed, row.prompt));
  }
  std::ranges::sort(images);
  std::string text;
  for (const std::string& image : images) text += image;
  facts["images"] = fmt::format("{} ({})", images.size(), sha256_hex(text).substr(0, 6));
  return facts;
}

/// The last part of a dotted key, or all of it where another key ends alike.
std::string short_name(const std::string& key, const std::set<std::string>& keys) {
  const std::string end = key.substr(key.rfind('.') + 1);
  const auto shares = std::ranges::count_if(
      keys, [&](const std::string& other) { return other == end || other.ends_with("." + end); });
  return shares == 1 ? end : key;
}

/// The names of facts in the order in which a group is named by them: what was asked for, then how
/// images are sampled, then the model's own.
std::vector<std::string> by_telling(const std::set<std::string>& keys) {
  const auto place = [](const std::string& key) {
    return key == "images" ? 0 : is_below(key, "gen") ? 1 : is_below(key, "model") ? 3 : 2;
  };
  std::vector<std::string> ordered(keys.begin(), keys.end());
  std::ranges::stable_sort(ordered, {}, place);
  return ordered;
}

/// Names the groups by the model and by what differs between those of one model, the first few.
void name_groups(std::span<ComparableGroup> groups, std::span<const PointSettings> facts) {
  constexpr size_t kMostNamed = 4;
  std::set<std::string> keys;
  for (const PointSettings& one : facts) {
    for (const auto& [key, value] : one) keys.insert(key);
  }
  const auto value_of = [](const PointSettings& one, const std::string& key) {
    const auto found = one.find(key);
    return found == one.end() ? std::string("none") : found->second;
  };
  std::map<std::string, int> known;
  for (size_t i = 0; i < groups.size(); ++i) {
    const std::string& model = facts[i].at("model");
    std::vector<std::string> telling;
    for (const std::string& key : by_telling(keys)) {
      const std::string value = value_of(facts[i], key);
      const bool differs = std::ranges::any_of(facts, [&](const PointSettings& other) {
        return other.at("model") == model && value_of(other, key) != value;
      });
      if (differs) telling.push_back(short_name(key, keys) + " " + value);
    }
    std::string& name = groups[i].name;
    name = model.empty() ? "model not named" : model;
    for (size_t k = 0; k < std::min(kMostNamed, telling.size()); ++k) name += ", " + telling[k];
    if (telling.size() > kMostNamed) {
      name += fmt::format(" and {} more", telling.size() - kMostNamed);
    }
    const int times = ++known[name];
    if (times > 1) name += fmt::format(" ({})", times);
  }
}

/// ComparableGroup::series.
std::vector<std::string> series_names(std::span<const PointSummary> points,
                                      const ComparableGroup& group) {
  SweepSummary own;  // what names look at, without the images
  for (const size_t i : group.points) {
    PointSummary& point = own.points.emplace_back();
    point.settings = points[i].settings;
    point.result.point = points[i].point();
  }
  std::vector<LabelKey> differing = differing_keys(own);
  std::erase_if(differing, [](const LabelKey& key) { return !is_below(key.key, "policy"); });
  std::vector<std::string> names;
  names.reserve(own.points.size());
  for (const PointSummary& point : own.points) names.push_back(series_name(point, differing));
  return names;
}

}  // namespace

std::vector<ComparableGroup> comparable_groups(std::span<const PointSummary> points) {
  std::vector<ComparableGroup> groups;
  std::vector<PointSettings> facts;
  std::map<PointSettings, size_t> known;
  for (size_t i = 0; i < points.size(); ++i) {
    PointSettings own = shared_facts(points[i]);
    const auto [found, is_new] = known.try_emplace(own, groups.size());
    if (is_new) {
      groups.emplace_back();
      facts.push_back(std::move(own));
    }
    groups[found->second].points.push_back(i);
  }
  name_groups(groups, facts);
  for (ComparableGroup& group : groups) group.series = series_names(points, group);
  return groups;
}

}  // namespace kvscope
