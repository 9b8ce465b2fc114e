#include "core/text/tokenizers/json_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/base/error.h"
#include "core/base/json_finding.h"

namespace kvscope {
namespace {

constexpr int kDeepest = 32;

}  // namespace

bool JsonReader::has(const char* key) const {
  const auto found = value_->is_object() ? value_->find(key) : value_->end();
  return value_->is_object() && found != value_->end() && !found->is_null();
}

bool JsonReader::is_null() const {
  return value_->is_null();
}

bool JsonReader::is_string() const {
  return value_->is_string();
}

JsonReader JsonReader::at(const char* key) const {
  if (!value_->is_object()) fail(fmt::format("expected an object, found {}", value_->type_name()));
  const auto found = value_->find(key);
  if (found == value_->end()) fail(fmt::format("'{}' is missing", key));
  return {*found, fmt::format("{}{}{}", place_, place_.ends_with(": ") ? "" : ".", key)};
}

std::vector<JsonReader> JsonReader::items() const {
  if (!value_->is_array()) fail(fmt::format("expected a list, found {}", value_->type_name()));
  std::vector<JsonReader> list;
  list.reserve(value_->size());
  for (const auto& item : *value_) {
    list.emplace_back(item, fmt::format("{}[{}]", place_, list.size()));
  }
  return list;
}

std::vector<std::pair<std::string, JsonReader>> JsonReader::members() const {
  if (!value_->is_object()) fail(fmt::format("expected an object, found {}", value_->type_name()));
  std::vector<std::pair<std::string, JsonReader>> list;
  list.reserve(value_->size());
  for (const auto& [key, member] : value_->items()) {
    list.emplace_back(key, JsonReader(member, fmt::format("{}['{}']", place_, key)));
  }
  return list;
}

const std::string& JsonReader::text() const {
  if (!value_->is_string()) fail(fmt::format("expected a string, found {}", value_->type_name()));
  return value_->get_ref<const std::string&>();
}

int64_t JsonReader::integer() const {
  const bool fits = value_->is_number_integer() &&
                    (!value_->is_number_unsigned() || value_->get<uint64_t>() <= INT64_MAX);
  if (!fits) fail(fmt::format("expected an integer, found {}", value_->dump().substr(0, 40)));
  return value_->get<int64_t>();
}

double JsonReader::number() const {
  if (!value_->is_number()) {
    fail(fmt::format("expected a number, found {}", value_->dump().substr(0, 40)));
  }
  return value_->get<double>();
}

bool JsonReader::flag(const char* key, bool otherwise) const {
  if (!has(key)) return otherwise;
  const JsonReader member = at(key);
  if (!member.value_->is_boolean()) {
    member.fail(fmt::format("expected true or false, found {}", member.value_->type_name()));
  }
  return member.value_->get<bool>();
}

const std::string& JsonReader::type(const std::vector<std::string>& known) const {
  const std::string& name = at("type").text();
  if (std::ranges::find(known, name) == known.end()) {
    fail(fmt::format("type '{}' is not supported. {}", name, suggestion(name, known)));
  }
  return name;
}

void JsonReader::fail(const std::string& message) const {
  throw Error(ErrorKind::kInput,
              place_.ends_with(": ") ? place_ + message : fmt::format("{}: {}", place_, message));
}

nlohmann::json parse_json(std::string_view text, const std::string& origin) {
  using Event = nlohmann::json::parse_event_t;
  const auto shallow = [&](int depth, Event event, nlohmann::json& /*value*/) {
    const bool opens = event == Event::object_start || event == Event::array_start;
    if (opens && depth >= kDeepest) {
      throw Error(ErrorKind::kInput,
                  fmt::format("{}: nested more than {} levels deep", origin, kDeepest));
    }
    return true;
  };
  try {
    return nlohmann::json::parse(text, shallow);
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorKind::kInput, fmt::format("{}: is not JSON: {}", origin, json_finding(error)));
  }
}

}  // namespace kvscope
