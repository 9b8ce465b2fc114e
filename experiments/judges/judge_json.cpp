#include "experiments/judges/judge_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "core/base/json_finding.h"

namespace kvscope {
namespace {

constexpr int kMostLevels = 64;
constexpr std::array<std::string_view, 3> kWords = {"-Infinity", "Infinity", "NaN"};

/// The text with Python's words for numbers in quotes, outside of strings.
std::string with_quoted_words(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (in_string && text[i] == '\\' && i + 1 < text.size()) {
      result += text[i];
      result += text[++i];
      continue;
    }
    if (text[i] == '"') in_string = !in_string;
    const auto word = std::ranges::find_if(kWords, [&](std::string_view candidate) {
      return !in_string && text.substr(i).starts_with(candidate);
    });
    if (word == kWords.end()) {
      result += text[i];
      continue;
    }
    result += '"';
    result += *word;
    result += '"';
    i += word->size() - 1;
  }
  return result;
}

[[noreturn]] void refuse(const std::string& where, const std::string& what) {
  throw Error(ErrorKind::kInput, fmt::format("{}: {}", where, what));
}

std::string place_of(std::string_view text, size_t byte, int64_t first_line) {
  const std::string_view before = text.substr(0, std::min(byte, text.size()));
  const int64_t line = first_line + std::ranges::count(before, '\n');
  const size_t begin = before.rfind('\n');
  const size_t column = begin == std::string_view::npos ? before.size() : before.size() - begin - 1;
  return fmt::format("{}:{}", line, std::max<size_t>(column, 1));
}

}  // namespace

JudgeJson parse_judge_json(std::string_view text, const std::string& origin, int64_t first_line) {
  const bool has_words = std::ranges::any_of(
      kWords, [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
  const std::string changed = has_words ? with_quoted_words(text) : std::string();
  const std::string_view parsed = has_words ? std::string_view(changed) : text;
  const auto shallow = [&](int depth, JudgeJson::parse_event_t /*event*/, JudgeJson& /*value*/) {
    if (depth > kMostLevels) {
      refuse(fmt::format("{}:{}", origin, first_line),
             fmt::format("JSON of more than {} levels", kMostLevels));
    }
    return true;
  };
  try {
    return JudgeJson::parse(parsed, shallow);
  } catch (const JudgeJson::parse_error& error) {
    std::string what = json_finding(error);
    // "line 1, column 2: syntax error ...", whose line is that of `text`
    const size_t begin = what.find(": ");
    if (begin != std::string::npos) what.erase(0, begin + 2);
    refuse(fmt::format("{}:{}", origin, place_of(parsed, error.byte, first_line)),
           "no JSON: " + what);
  } catch (const JudgeJson::out_of_range&) {
    refuse(fmt::format("{}:{}", origin, first_line), "JSON with a number out of range");
  }
}

const JudgeJson& member_of(const JudgeJson& object,
                           const std::string& key,
                           const std::string& where) {
  if (!object.is_object()) refuse(where, "expected a JSON object");
  const auto found = object.find(key);
  if (found == object.end()) refuse(where, fmt::format("no key '{}'", key));
  return *found;
}

std::string text_member(const JudgeJson& object, const std::string& key, const std::string& where) {
  const JudgeJson& value = member_of(object, key, where);
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_integer()) return value.dump();  // an id
  refuse(where, fmt::format("'{}': expected a text", key));
}

double number_of(const JudgeJson& value, const std::string& where) {
  if (value.is_number()) return value.get<double>();
  if (value == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (value == "Infinity") return std::numeric_limits<double>::infinity();
  if (value == "-Infinity") return -std::numeric_limits<double>::infinity();
  refuse(where, "expected a number");
}

double number_member(const JudgeJson& object, const std::string& key, const std::string& where) {
  return number_of(member_of(object, key, where), fmt::format("{}: '{}'", where, key));
}

std::string python_json(const JudgeJson& value) {
  if (value.is_object() || value.is_array()) {
    const bool is_object = value.is_object();
    std::string text(1, is_object ? '{' : '[');
    bool first = true;
    for (const auto& [key, item] : value.items()) {
      if (!first) text += ", ";
      first = false;
      if (is_object) text += JudgeJson(key).dump(-1, ' ', true) + ": ";
      text += python_json(item);
    }
    return text + (is_object ? '}' : ']');
  }
  return value.dump(-1, ' ', true, JudgeJson::error_handler_t::replace);
}

JudgeJson json_number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return value;
}

}  // namespace kvscope
