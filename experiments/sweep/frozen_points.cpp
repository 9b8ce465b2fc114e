#include "experiments/sweep/frozen_points.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/base/json_finding.h"
#include "core/base/set_aside.h"
#include "core/base/text_file.h"
#include "core/config/format.h"
#include "core/config/hash.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kSchema = "kvscope.frozen_points";
constexpr int kVersion = 1;

// A node is {"v": scalar}, {"f": "inf"}, {"l": [node, ...]} or {"m": [[name, node, kind], ...]},
// with "o": [source, line, column] where it has an origin; sources stand in a table of their own.

class NodeWriter {
 public:
  Json json(const ConfigNode& node) {
    Json json = Json::object();
    switch (node.kind()) {
      case ConfigKind::kNull:
        json["v"] = nullptr;
        break;
      case ConfigKind::kBool:
        json["v"] = node.as_bool();
        break;
      case ConfigKind::kInt:
        json["v"] = node.as_int64();
        break;
      case ConfigKind::kFloat:
        if (std::isfinite(node.as_double())) {
          json["v"] = node.as_double();
        } else {
          json["f"] = format_float(node.as_double());
        }
        break;
      case ConfigKind::kString:
        json["v"] = node.as_string();
        break;
      case ConfigKind::kList:
        json["l"] = Json::array();
        for (const ConfigNode& item : node.items()) json["l"].push_back(this->json(item));
        break;
      case ConfigKind::kMap:
        json["m"] = Json::array();
        for (const ConfigEntry& entry : node.entries()) {
          json["m"].push_back({entry.name, this->json(entry.value), entry.key_kind});
        }
        break;
    }
    const ConfigOrigin& origin = node.origin();
    if (origin.source) json["o"] = {number_of(*origin.source), origin.line, origin.column};
    return json;
  }

  [[nodiscard]] const std::vector<std::string>& sources() const { return sources_; }

 private:
  size_t number_of(const std::string& source) {
    const auto [found, is_new] = numbers_.emplace(source, sources_.size());
    if (is_new) sources_.push_back(source);
    return found->second;
  }

  std::vector<std::string> sources_;
  std::map<std::string, size_t> numbers_;
};

class NodeReader {
 public:
  explicit NodeReader(const std::vector<std::string>& sources) {
    for (const std::string& source : sources) {
      sources_.push_back(std::make_shared<const std::string>(source));
    }
  }

  ConfigNode node(const Json& json, int depth = 0) const {
    constexpr int kDeepest = 200;
    if (depth > kDeepest) throw std::out_of_range("nested too deeply");
    ConfigNode node;
    if (json.contains("v")) node = scalar(json.at("v"));
    if (json.contains("f")) {
      const auto& text = json.at("f").get_ref<const std::string&>();
      node = ConfigNode(text == "inf" ? INFINITY : text == "-inf" ? -INFINITY : NAN);
    }
    if (json.contains("l")) {
      std::vector<ConfigNode> items;
      for (const Json& item : json.at("l")) items.push_back(this->node(item, depth + 1));
      node = ConfigNode::list(std::move(items));
    }
    if (json.contains("m")) {
      node = ConfigNode::map();
      for (const Json& entry : json.at("m")) {
        node.entries().push_back({.name = entry.at(0),
                                  .value = this->node(entry.at(1), depth + 1),
                                  .key_kind = entry.at(2).get<ConfigKind>()});
      }
    }
    if (json.contains("o")) {
      const Json& origin = json.at("o");
      node.set_origin({.source = sources_.at(origin.at(0).get<size_t>()),
                       .line = origin.at(1),
                       .column = origin.at(2)});
    }
    return node;
  }

 private:
  static ConfigNode scalar(const Json& json) {
    if (json.is_boolean()) return json.get<bool>();
    if (json.is_number_integer()) return json.get<int64_t>();
    if (json.is_number()) return json.get<double>();
    if (json.is_string()) return json.get<std::string>();
    return {};
  }

  std::vector<std::shared_ptr<const std::string>> sources_;
};

FrozenPoints::One one_of(const Json& json, const NodeReader& reader) {
  FrozenPoints::One one{.hash = json.at("hash"),
                        .setting_hash = json.at("setting_hash"),
                        .reference_hash = json.at("reference_hash"),
                        .labels = json.at("labels"),
                        .overrides = json.at("overrides"),
                        .config = reader.node(json.at("config")),
                        .images = json.at("images"),
                        .task = json.at("task")};
  one.config.label_paths();
  constexpr size_t kHashDigits = 64;
  const bool is_hash = one.hash.size() == kHashDigits &&
                       one.hash.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!is_hash) throw std::out_of_range("holds a point whose hash is none");
  return one;
}

}  // namespace

std::string FrozenPoints::One::label(std::string_view key) const {
  for (const auto& [name, text] : labels) {
    if (name == key) return text;
  }
  return "";
}

FrozenPoints::One frozen(const Point& point) {
  return {.hash = point.hash,
          .setting_hash = point.setting_hash,
          .reference_hash = point.reference_hash,
          .labels = point.labels,
          .overrides = point.overrides,
          .config = point.config,
          .images = point.images()};
}

void write_frozen_points(const fs::path& file, const FrozenPoints& frozen) {
  NodeWriter writer;
  Json points = Json::array();
  for (const FrozenPoints::One& one : frozen.points) {
    points.push_back({{"hash", one.hash},
                      {"setting_hash", one.setting_hash},
                      {"reference_hash", one.reference_hash},
                      {"labels", one.labels},
                      {"overrides", one.overrides},
                      {"images", one.images},
                      {"task", one.task},
                      {"config", writer.json(one.config)}});
  }
  const Json json{{"schema", kSchema},
                  {"schema_version", kVersion},
                  {"root", frozen.root},
                  {"working_folder", frozen.working_folder},
                  {"command_line", frozen.command_line},
                  {"job_name", frozen.job_name},
                  {"sources", writer.sources()},
                  {"points", std::move(points)}};
  std::error_code unknown;
  if (fs::is_directory(file, unknown)) set_aside(file);
  write_file_atomically(file, json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

FrozenPoints read_frozen_points(const fs::path& file) {
  const auto refuse = [&](const std::string& why) {
    return Error(ErrorKind::kInput, fmt::format("{}: {}", file.string(), why));
  };
  const auto text = text_of_file(file);
  if (!text) throw refuse("cannot be read");
  const Json json = Json::parse(*text, nullptr, false);
  if (!json.is_object()) throw refuse("is no JSON object");
  try {
    if (json.value("schema", Json()) != kSchema ||
        json.value("schema_version", Json()) != kVersion) {
      throw refuse(fmt::format("is no {} of version {}", kSchema, kVersion));
    }
    FrozenPoints frozen{.root = json.at("root"),
                        .working_folder = json.at("working_folder"),
                        .command_line = json.at("command_line"),
                        .job_name = json.at("job_name")};
    const NodeReader reader(json.at("sources"));
    for (const Json& one : json.at("points")) frozen.points.push_back(one_of(one, reader));
    return frozen;
  } catch (const nlohmann::json::exception& error) {
    throw refuse(json_finding(error));
  } catch (const std::out_of_range& error) {
    throw refuse(error.what());
  }
}

PointList thawed(const FrozenPoints& frozen, std::shared_ptr<const ComponentRegistry> components) {
  PointList list = points_of_configs(
      [&] {
        std::vector<SettledConfig> configs;
        configs.reserve(frozen.points.size());
        for (const FrozenPoints::One& one : frozen.points) {
          configs.push_back({.config = one.config, .overrides = one.overrides});
        }
        return configs;
      }(),
      frozen.root, std::move(components));
  for (size_t i = 0; i < list.points.size(); ++i) {
    Point& point = list.points[i];
    const FrozenPoints::One& one = frozen.points[i];
    if (point.hash != one.hash) {
      throw Error(ErrorKind::kInput,
                  fmt::format("point {} ({}, {}): its weights, prompts or profiles are no longer "
                              "what they were when the sweep began; the command of the sweep "
                              "begins it anew: {}",
                              short_hash(one.hash), one.label("policy"), one.label("budget"),
                              frozen.command_line));
    }
    // These follow from configuration files too.
    point.setting_hash = one.setting_hash;
    point.reference_hash = one.reference_hash;
    point.labels = one.labels;
  }
  return list;
}

fs::path frozen_points_file(const fs::path& folder) {
  return folder / "frozen_points.json";
}

void record_frozen_points(const fs::path& folder, FrozenPoints frozen) {
  const fs::path file = frozen_points_file(folder);
  try {
    for (FrozenPoints::One& before : read_frozen_points(file).points) {
      const bool is_new = std::ranges::none_of(
          frozen.points, [&](const FrozenPoints::One& one) { return one.hash == before.hash; });
      if (is_new) frozen.points.push_back(std::move(before));
    }
  } catch (const Error&) {
    // There is none yet, or nothing that counts.
  }
  write_frozen_points(file, frozen);
}

}  // namespace kvscope
