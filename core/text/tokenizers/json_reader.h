#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace kvscope {

/// A value inside a JSON document together with the way to it ("tokenizer.json: model.merges[3]"),
/// so that every complaint says where. Cheap to copy; the document must outlive it.
class JsonReader {
 public:
  JsonReader(const nlohmann::json& value, std::string place)
      : value_(&value), place_(std::move(place)) {}

  [[nodiscard]] bool has(const char* key) const;  ///< present and not null
  [[nodiscard]] bool is_null() const;
  [[nodiscard]] bool is_string() const;
  /// Members; all throw Error(kInput) where they are missing or of another type.
  [[nodiscard]] JsonReader at(const char* key) const;
  [[nodiscard]] std::vector<JsonReader> items() const;
  [[nodiscard]] std::vector<std::pair<std::string, JsonReader>> members() const;
  [[nodiscard]] const std::string& text() const;
  [[nodiscard]] int64_t integer() const;
  [[nodiscard]] double number() const;
  /// `otherwise` where the key is missing or null.
  [[nodiscard]] bool flag(const char* key, bool otherwise) const;
  /// "type" must be one of `known`; the error lists them.
  const std::string& type(const std::vector<std::string>& known) const;

  [[noreturn]] void fail(const std::string& message) const;

 private:
  const nlohmann::json* value_;
  std::string place_;
};

/// Parses `text`. Throws Error(kInput) naming `origin` where it is no JSON or nested too deeply.
nlohmann::json parse_json(std::string_view text, const std::string& origin);

}  // namespace kvscope
