#include "core/config/grammar_cast.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <utility>

#include "core/base/error.h"
#include "core/config/format.h"
#include "core/config/grammar_range.h"
#include "core/config/number_text.h"

namespace kvscope {
namespace {

[[noreturn]] void fail(const std::string& what) {
  throw Error(ErrorKind::kConfig, what);
}

ConfigNode cast_to_int(const ConfigNode& node) {
  switch (node.kind()) {
    case ConfigKind::kBool:
      return node.as_bool() ? 1 : 0;
    case ConfigKind::kInt:
      return node;
    case ConfigKind::kFloat:
      if (std::isfinite(node.as_double())) return truncated(node.as_double());
      break;
    case ConfigKind::kString:
      if (auto value = integer_of_text(node.as_string())) return *value;
      break;
    default:
      break;
  }
  fail(fmt::format("int(..): '{}' is no integer", python_text(node)));
}

ConfigNode cast_to_float(const ConfigNode& node) {
  switch (node.kind()) {
    case ConfigKind::kBool:
      return node.as_bool() ? 1.0 : 0.0;
    case ConfigKind::kInt:
      if (std::isfinite(node.as_double())) return node.as_double();
      break;
    case ConfigKind::kFloat:
      return node;
    case ConfigKind::kString:
      if (auto value = float_of_text(node.as_string())) return *value;
      break;
    default:
      break;
  }
  fail(fmt::format("float(..): '{}' is no number", python_text(node)));
}

ConfigNode cast_to_str(const ConfigNode& node) {
  if (node.is_null()) fail("str(..): null has no text");
  if (node.kind() == ConfigKind::kBool) return node.as_bool() ? "true" : "false";
  return python_text(node);
}

ConfigNode cast_to_bool(const ConfigNode& node) {
  switch (node.kind()) {
    case ConfigKind::kNull:
      return false;
    case ConfigKind::kBool:
      return node;
    case ConfigKind::kInt:
    case ConfigKind::kFloat:
      return node.as_double() != 0;
    default:
      break;
  }
  std::string text = node.as_string();
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (text == "true" || text == "false") return text == "true";
  fail(fmt::format("bool(..): '{}' is neither true nor false", python_text(node)));
}

using ScalarCast = ConfigNode (*)(const ConfigNode&);

ScalarCast find_cast(const std::string& function) {
  static constexpr std::array<std::pair<std::string_view, ScalarCast>, 4> kCasts{
      {{"int", cast_to_int},
       {"float", cast_to_float},
       {"str", cast_to_str},
       {"bool", cast_to_bool}}};
  for (const auto& [name, cast] : kCasts) {
    if (name == function) return cast;
  }
  return nullptr;
}

GrammarSweep cast_sweep(const std::string& function, const GrammarSweep& sweep);

GrammarValue cast_value(const std::string& function, const GrammarValue& value) {
  GrammarValue result = value;
  result.quote = '\0';
  if (value.sweep) {
    result.sweep = std::make_shared<const GrammarSweep>(cast_sweep(function, *value.sweep));
    return result;
  }
  if (value.kind == ConfigKind::kList || value.kind == ConfigKind::kMap) {
    for (GrammarValue& item : result.items) item = cast_value(function, item);
    for (auto& [key, entry] : result.entries) entry = cast_value(function, entry);
    return result;
  }
  result.scalar = find_cast(function)(value.scalar);
  result.kind = result.scalar.kind();
  return result;
}

GrammarSweep cast_sweep(const std::string& function, const GrammarSweep& sweep) {
  const ScalarCast cast = find_cast(function);
  const bool to_number = cast == cast_to_int || cast == cast_to_float;
  if (sweep.kind == SweepKind::kGlob) fail(fmt::format("{}(..) cannot cast a glob", function));
  if (sweep.kind == SweepKind::kRange) {
    if (!to_number) fail("a range can only be cast to int or float");
    return range_sweep(cast(sweep.start), cast(sweep.stop), cast(sweep.step));
  }
  GrammarSweep result;
  result.kind = sweep.kind;
  if (sweep.kind == SweepKind::kInterval) {
    if (!to_number) fail("an interval can only be cast to int or float");
    result.start = cast(sweep.start);
    result.stop = cast(sweep.stop);
    result.tags = sweep.tags;
    return result;
  }
  for (const GrammarValue& value : sweep.values) {
    result.values.push_back(cast_value(function, value));
    if (result.values.back().sweep) fail(fmt::format("{}(..): a sweep inside a sweep", function));
  }
  return result;
}

}  // namespace

bool is_cast(const std::string& function) {
  return find_cast(function) != nullptr;
}

GrammarResult cast(const std::string& function, const GrammarResult& given) {
  if (given.sweep) return {{}, cast_sweep(function, *given.sweep)};
  return {cast_value(function, given.value), {}};
}

}  // namespace kvscope
