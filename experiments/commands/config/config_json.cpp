#include "experiments/commands/config/config_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>

#include "core/base/error.h"
#include "core/config/big_integer.h"
#include "core/config/config_key.h"
#include "core/config/format.h"

namespace kvscope {
namespace {

using Json = nlohmann::ordered_json;

Json integer_json(const ConfigNode& node) {
  const std::string digits = integer_text(node);
  int64_t value = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (result.ec == std::errc()) return value;
  return {{"__int__", digits}};
}

Json scalar_json(const ConfigNode& node) {
  switch (node.kind()) {
    case ConfigKind::kBool:
      return node.as_bool();
    case ConfigKind::kInt:
      return integer_json(node);
    case ConfigKind::kFloat:
      if (std::isfinite(node.as_double())) return node.as_double();
      return {{"__float__", format_float(node.as_double())}};
    case ConfigKind::kString:
      return node.as_string();
    default:
      return nullptr;
  }
}

Json map_json(const ConfigNode& node) {
  const bool plain = std::ranges::all_of(node.entries(), [](const ConfigEntry& entry) {
    return entry.key_kind == ConfigKind::kString;
  });
  if (plain) {
    Json map = Json::object();
    for (const ConfigEntry& entry : node.entries()) map[entry.name] = config_json(entry.value);
    return map;
  }
  Json pairs = Json::array();
  for (const ConfigEntry& entry : node.entries()) {
    pairs.push_back(Json::array({scalar_json(entry_key(entry)), config_json(entry.value)}));
  }
  return {{"__map__", std::move(pairs)}};
}

Json sweep_json(const GrammarSweep& sweep);

/// As config_json, but a sweep inside is shown.
Json value_json(const GrammarValue& value) {
  if (value.sweep) return {{"__sweep__", sweep_json(*value.sweep)}};
  if (value.kind == ConfigKind::kList) {
    Json list = Json::array();
    for (const GrammarValue& item : value.items) list.push_back(value_json(item));
    return list;
  }
  if (value.kind != ConfigKind::kMap) return scalar_json(value.scalar);
  const bool plain = std::ranges::all_of(value.entries, [](const GrammarEntry& entry) {
    return entry.key.kind == ConfigKind::kString;
  });
  Json map = plain ? Json::object() : Json::array();
  for (const auto& [key, inside] : value.entries) {
    if (plain) {
      map[key.scalar.as_string()] = value_json(inside);
    } else {
      map.push_back(Json::array({scalar_json(key.scalar), value_json(inside)}));
    }
  }
  return plain ? map : Json{{"__map__", std::move(map)}};
}

Json sweep_json(const GrammarSweep& sweep) {
  constexpr size_t kMostItems = 20;
  Json json;
  switch (sweep.kind) {
    case SweepKind::kSimple:
    case SweepKind::kChoice: {
      json = {{"kind", "choice"},
              {"simple_form", sweep.kind == SweepKind::kSimple},
              {"shuffle", sweep.shuffle},
              {"list", Json::array()}};
      Json strings = Json::array();
      for (const GrammarValue& value : sweep.values) {
        json["list"].push_back(value_json(value));
        if (strings.is_null()) continue;
        try {
          strings.push_back(value.text());
        } catch (const Error& error) {
          json["strings_error"] = error.what();
          strings = nullptr;
        }
      }
      if (!strings.is_null()) json["strings"] = std::move(strings);
      break;
    }
    case SweepKind::kRange:
      json = {{"kind", "range"},
              {"start", scalar_json(sweep.start)},
              {"stop", scalar_json(sweep.stop)},
              {"step", scalar_json(sweep.step)},
              {"shuffle", sweep.shuffle},
              {"first_items", Json::array()}};
      for (size_t i = 0; i < std::min(sweep.values.size(), kMostItems); ++i) {
        json["first_items"].push_back(value_json(sweep.values[i]));
      }
      break;
    case SweepKind::kInterval:
      json = {{"kind", "interval"},
              {"start", scalar_json(sweep.start)},
              {"end", scalar_json(sweep.stop)}};
      break;
    case SweepKind::kGlob:
      json = {{"kind", "glob"}, {"include", sweep.include}, {"exclude", sweep.exclude}};
      break;
    case SweepKind::kZip:
      json = {{"kind", "zip"}};  // override_json() adds its members
      break;
  }
  if (!sweep.tags.empty()) json["tags"] = sweep.tags;
  return json;
}

const char* type_name(OverrideKind kind) {
  switch (kind) {
    case OverrideKind::kChange:
      return "CHANGE";
    case OverrideKind::kAdd:
      return "ADD";
    case OverrideKind::kForceAdd:
      return "FORCE_ADD";
    case OverrideKind::kDelete:
      break;
  }
  return "DEL";
}

const char* value_type_name(const GrammarResult& value) {
  if (!value.sweep) return "ELEMENT";
  switch (value.sweep->kind) {
    case SweepKind::kSimple:
      return "SIMPLE_CHOICE_SWEEP";
    case SweepKind::kChoice:
      return "CHOICE_SWEEP";
    case SweepKind::kRange:
      return "RANGE_SWEEP";
    case SweepKind::kInterval:
      return "INTERVAL_SWEEP";
    case SweepKind::kZip:
      return "ZIP_SWEEP";
    case SweepKind::kGlob:
      break;
  }
  return "GLOB_CHOICE_SWEEP";
}

}  // namespace

Json config_json(const ConfigNode& node) {
  if (node.is_map()) return map_json(node);
  if (!node.is_list()) return scalar_json(node);
  Json list = Json::array();
  for (const ConfigNode& item : node.items()) list.push_back(config_json(item));
  return list;
}

Json override_json(const Override& override) {
  Json json{{"type", type_name(override.kind)}, {"key", override.key}, {"package", nullptr}};
  if (override.package) json["package"] = *override.package;
  json["key_element"] = override.key_element();
  json["value_type"] = nullptr;
  if (!override.value) {
    json["value"] = nullptr;
    json["value_as_str"] = "null";
    return json;
  }
  json["value_type"] = value_type_name(*override.value);
  if (override.value->sweep) {
    json["sweep"] = sweep_json(*override.value->sweep);
    for (const Override& member : override.zipped) {
      json["sweep"]["sweeps"].push_back(override_json(member));
    }
    return json;
  }
  const GrammarValue& value = override.value->value;
  json["value"] = value_json(value);
  try {
    json["value_as_str"] = value.text();
  } catch (const Error& error) {
    json["value_as_str_error"] = error.what();
  }
  if (value.quote != '\0') json["quoted"] = value.quote == '\'' ? "single" : "double";
  return json;
}

}  // namespace kvscope
