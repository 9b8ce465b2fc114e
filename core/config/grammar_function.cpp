#include "core/config/grammar_function.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <functional>

#include "core/base/error.h"
#include "core/config/format.h"

namespace kvscope {
namespace {

constexpr size_t kMostPoints = 1'000'000;

[[noreturn]] void fail(const std::string& what) {
  throw Error(ErrorKind::kConfig, what);
}

GrammarValue scalar_value(ConfigNode node) {
  GrammarValue value;
  value.kind = node.kind();
  value.scalar = std::move(node);
  return value;
}

bool is_number(const GrammarValue& value) {
  return value.kind == ConfigKind::kInt || value.kind == ConfigKind::kFloat;
}

/// The positional and named arguments of one call, taken one by one.
class Arguments {
 public:
  Arguments(const std::string& function, const std::vector<GrammarArgument>& arguments)
      : function_(function) {
    for (const GrammarArgument& argument : arguments) {
      (argument.name.empty() ? positional_ : named_).push_back(argument);
    }
  }

  [[nodiscard]] const std::vector<GrammarArgument>& positional() const { return positional_; }

  /// The named argument, removed; null pointer result if it was not given.
  std::optional<GrammarResult> take_named(const std::string& name) {
    for (size_t i = 0; i < named_.size(); ++i) {
      if (named_[i].name != name) continue;
      GrammarResult result = named_[i].value;
      named_.erase(named_.begin() + static_cast<std::ptrdiff_t>(i));
      return result;
    }
    return std::nullopt;
  }

  bool take_flag(const std::string& name) {
    const std::optional<GrammarResult> given = take_named(name);
    if (!given) return false;
    if (given->sweep || given->value.kind != ConfigKind::kBool) {
      fail(fmt::format("{}(..): {} must be true or false", function_, name));
    }
    return given->value.scalar.as_bool();
  }

  void expect_no_more_named() const {
    if (!named_.empty())
      fail(fmt::format("{}(..) has no argument '{}'", function_, named_[0].name));
  }

 private:
  std::string function_;
  std::vector<GrammarArgument> positional_;
  std::vector<GrammarArgument> named_;
};

// --- casts ------------------------------------------------------------------------------------

ConfigNode cast_to_int(const ConfigNode& node) {
  switch (node.kind()) {
    case ConfigKind::kBool:
      return node.as_bool() ? 1 : 0;
    case ConfigKind::kInt:
      return node;
    case ConfigKind::kFloat: {
      const double value = node.as_double();
      if (!(std::abs(value) < 9.2e18)) fail(fmt::format("int({}) does not fit 64 bits", value));
      return static_cast<int64_t>(value);
    }
    case ConfigKind::kString: {
      const std::string& text = node.as_string();
      int64_t value = 0;
      const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
      if (result.ec == std::errc() && result.ptr == text.data() + text.size()) return value;
      break;
    }
    default:
      break;
  }
  fail(fmt::format("int(..): '{}' is no integer", python_text(node)));
}

ConfigNode cast_to_float(const ConfigNode& node) {
  if (node.kind() == ConfigKind::kBool) return node.as_bool() ? 1.0 : 0.0;
  if (node.kind() == ConfigKind::kInt || node.kind() == ConfigKind::kFloat) return node.as_double();
  if (node.is_string()) {
    const std::string& text = node.as_string();
    double value = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
    if (result.ec == std::errc() && result.ptr == text.data() + text.size()) return value;
  }
  fail(fmt::format("float(..): '{}' is no number", python_text(node)));
}

ConfigNode cast_to_str(const ConfigNode& node) {
  if (node.is_null()) fail("str(..): null has no text");
  if (node.kind() == ConfigKind::kBool) return node.as_bool() ? "true" : "false";
  return python_text(node);
}

ConfigNode cast_to_bool(const ConfigNode& node) {
  if (node.kind() == ConfigKind::kBool) return node;
  if (node.kind() == ConfigKind::kInt || node.kind() == ConfigKind::kFloat) {
    return node.as_double() != 0;
  }
  if (node.is_string()) {
    std::string text = node.as_string();
    for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (text == "true" || text == "false") return text == "true";
  }
  fail(fmt::format("bool(..): '{}' is neither true nor false", python_text(node)));
}

using Cast = std::function<ConfigNode(const ConfigNode&)>;

GrammarValue cast_value(const GrammarValue& value, const Cast& cast) {
  if (!value.items.empty() || value.kind == ConfigKind::kList || value.kind == ConfigKind::kMap) {
    GrammarValue result = value;
    for (GrammarValue& item : result.items) item = cast_value(item, cast);
    for (auto& [key, entry] : result.entries) entry = cast_value(entry, cast);
    return result;
  }
  return scalar_value(cast(value.scalar));
}

GrammarResult cast_all(const std::string& name, Arguments arguments, const Cast& cast) {
  std::vector<GrammarResult> given;
  for (const GrammarArgument& argument : arguments.positional()) given.push_back(argument.value);
  if (const auto named = arguments.take_named("value")) given.push_back(*named);
  arguments.expect_no_more_named();
  if (given.empty()) fail(fmt::format("{}(..) needs a value", name));
  if (given.size() > 1 && arguments.positional().size() != given.size()) {
    fail(fmt::format("{}(..) got its value twice", name));
  }
  if (given.size() == 1 && !given[0].sweep) return {cast_value(given[0].value, cast), {}};
  GrammarSweep sweep;
  if (given.size() == 1) {
    sweep = *given[0].sweep;
    if (sweep.kind == SweepKind::kGlob) fail(fmt::format("{}(..) cannot cast a glob", name));
    if (sweep.kind == SweepKind::kRange && (name == "str" || name == "bool")) {
      fail("a range can only be cast to int or float");
    }
  } else {
    for (const GrammarResult& one : given) {
      if (one.sweep) fail(fmt::format("{}(..) takes one sweep or plain values", name));
      sweep.values.push_back(one.value);
    }
  }
  for (GrammarValue& value : sweep.values) value = cast_value(value, cast);
  return {{}, sweep};
}

// --- sweeps -----------------------------------------------------------------------------------

GrammarResult choice(Arguments arguments) {
  arguments.expect_no_more_named();
  GrammarSweep sweep{.kind = SweepKind::kChoice, .values = {}, .include = {}, .exclude = {}};
  if (arguments.positional().empty()) fail("choice() needs at least one value");
  for (const GrammarArgument& argument : arguments.positional()) {
    if (argument.value.sweep) fail("a sweep inside choice(..)");
    if (argument.value.value.kind == ConfigKind::kNull) fail("null inside choice(..); use a,b");
    sweep.values.push_back(argument.value.value);
    sweep.values.back().quote = '\0';
  }
  return {{}, sweep};
}

/// A decimal literal as digits * 10^exponent; false if it has too many digits to be exact.
bool parse_decimal(const std::string& literal, int64_t& digits, int& exponent) {
  std::string plain;
  exponent = 0;
  bool fraction = false;
  for (size_t i = 0; i < literal.size(); ++i) {
    if (literal[i] == '.') {
      fraction = true;
    } else if (literal[i] == 'e' || literal[i] == 'E') {
      const std::string power = literal.substr(literal[i + 1] == '+' ? i + 2 : i + 1);
      int shift = 0;
      if (std::from_chars(power.data(), power.data() + power.size(), shift).ec != std::errc())
        return false;
      exponent += shift;
      break;
    } else {
      plain += literal[i];
      exponent -= fraction ? 1 : 0;
    }
  }
  if (plain.size() > 15) return false;
  return std::from_chars(plain.data(), plain.data() + plain.size(), digits).ec == std::errc();
}

/// start, start + step, ... by decimal arithmetic on the literals, so that 0.1 steps give 0.7 and
/// not 0.7000000000000001. Empty if the literals are too long for that.
std::vector<double> decimal_range(const std::string& start,
                                  const std::string& stop,
                                  const std::string& step) {
  std::array<int64_t, 3> digits{};
  std::array<int, 3> exponents{};
  const std::array<const std::string*, 3> literals{&start, &stop, &step};
  for (size_t i = 0; i < 3; ++i) {
    if (!parse_decimal(*literals[i], digits[i], exponents[i])) return {};
  }
  const int lowest = *std::ranges::min_element(exponents);
  for (size_t i = 0; i < 3; ++i) {
    for (int power = exponents[i]; power > lowest; --power) {
      if (std::abs(digits[i]) > int64_t{100'000'000'000'000'000}) return {};
      digits[i] *= 10;
    }
  }
  std::vector<double> values;
  for (int64_t at = digits[0]; digits[2] > 0 ? at < digits[1] : at > digits[1]; at += digits[2]) {
    if (values.size() > kMostPoints) fail("a range of more than a million values");
    const std::string text = fmt::format("{}e{}", at, lowest);
    double value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    values.push_back(value);
  }
  return values;
}

GrammarResult range(Arguments arguments) {
  std::vector<GrammarValue> bounds;
  for (const GrammarArgument& argument : arguments.positional()) {
    if (argument.value.sweep) fail("a sweep inside range(..)");
    bounds.push_back(argument.value.value);
  }
  GrammarValue start = scalar_value(0);
  GrammarValue step = scalar_value(1);
  start.literal = "0";
  step.literal = "1";
  std::optional<GrammarValue> stop;
  if (bounds.size() == 1) stop = bounds[0];
  if (bounds.size() >= 2) {
    start = bounds[0];
    stop = bounds[1];
  }
  if (bounds.size() == 3) step = bounds[2];
  if (const auto named = arguments.take_named("start")) start = named->value;
  if (const auto named = arguments.take_named("stop")) stop = named->value;
  if (const auto named = arguments.take_named("step")) step = named->value;
  arguments.expect_no_more_named();
  if (bounds.size() > 3 || !stop) fail("range(..) takes (stop), (start,stop) or (start,stop,step)");
  bool integral = true;
  for (const GrammarValue* bound : {&start, &*stop, &step}) {
    if (!is_number(*bound)) fail(fmt::format("range(..): '{}' is no number", bound->text()));
    if (!std::isfinite(bound->scalar.as_double())) fail("range(..) needs finite bounds");
    integral = integral && bound->kind == ConfigKind::kInt;
  }
  if (step.scalar.as_double() == 0) fail("range(..): the step must not be zero");
  GrammarSweep sweep{.kind = SweepKind::kRange, .values = {}, .include = {}, .exclude = {}};
  const double count =
      (stop->scalar.as_double() - start.scalar.as_double()) / step.scalar.as_double();
  if (count > static_cast<double>(kMostPoints)) fail("a range of more than a million values");
  if (integral) {
    const int64_t stride = step.scalar.as_int64();
    const int64_t end = stop->scalar.as_int64();
    for (int64_t at = start.scalar.as_int64(); stride > 0 ? at < end : at > end; at += stride) {
      sweep.values.push_back(scalar_value(at));
    }
    return {{}, sweep};
  }
  std::vector<double> values = decimal_range(start.literal, stop->literal, step.literal);
  if (values.empty() && count > 0) {
    for (double i = 0; i < count; ++i) {
      values.push_back(start.scalar.as_double() + i * step.scalar.as_double());
    }
  }
  for (const double value : values) sweep.values.push_back(scalar_value(value));
  return {{}, sweep};
}

std::vector<std::string> patterns(const GrammarResult& result) {
  const ConfigNode node = result.value.node();
  const bool strings =
      node.is_string() ||
      (node.is_list() && std::ranges::all_of(node.items(), &ConfigNode::is_string));
  if (result.sweep || !strings) fail("glob(..) takes a pattern or a list of patterns");
  return node.as_string_list();
}

GrammarResult glob(Arguments arguments) {
  GrammarSweep sweep{.kind = SweepKind::kGlob, .values = {}, .include = {}, .exclude = {}};
  std::vector<GrammarResult> given;
  for (const GrammarArgument& argument : arguments.positional()) given.push_back(argument.value);
  if (const auto named = arguments.take_named("include")) given.insert(given.begin(), *named);
  if (const auto named = arguments.take_named("exclude")) sweep.exclude = patterns(*named);
  arguments.expect_no_more_named();
  if (given.empty() || given.size() > 2) fail("glob(..) takes (include) or (include,exclude=..)");
  sweep.include = patterns(given[0]);
  if (given.size() == 2) sweep.exclude = patterns(given[1]);
  return {{}, sweep};
}

void sort_values(std::vector<GrammarValue>& values, bool reverse) {
  const bool numbers = std::ranges::all_of(values, is_number);
  const bool strings = std::ranges::all_of(
      values, [](const GrammarValue& value) { return value.kind == ConfigKind::kString; });
  if (!numbers && !strings) fail("sort(..) takes numbers or strings, not both");
  const auto less = [&](const GrammarValue& a, const GrammarValue& b) {
    if (numbers) return a.scalar.as_double() < b.scalar.as_double();
    return a.scalar.as_string() < b.scalar.as_string();
  };
  std::ranges::stable_sort(
      values, [&](const auto& a, const auto& b) { return reverse ? less(b, a) : less(a, b); });
}

GrammarResult sort(Arguments arguments) {
  const bool reverse = arguments.take_flag("reverse");
  std::vector<GrammarResult> given;
  for (const GrammarArgument& argument : arguments.positional()) given.push_back(argument.value);
  for (const char* name : {"sweep", "list"}) {
    if (const auto named = arguments.take_named(name)) given.push_back(*named);
  }
  arguments.expect_no_more_named();
  if (given.empty()) fail("sort() needs values");
  if (given.size() == 1) {
    GrammarResult result = given[0];
    if (result.sweep) {
      if (result.sweep->kind == SweepKind::kGlob) fail("sort(..) cannot sort a glob");
      sort_values(result.sweep->values, reverse);
    } else if (result.value.kind == ConfigKind::kList) {
      sort_values(result.value.items, reverse);
    }
    return result;
  }
  GrammarSweep sweep;
  for (const GrammarResult& one : given) {
    if (one.sweep) fail("sort(..) takes one sweep, one list or plain values");
    sweep.values.push_back(one.value);
  }
  sort_values(sweep.values, reverse);
  return {{}, sweep};
}

GrammarResult tag(Arguments arguments) {
  arguments.expect_no_more_named();
  const std::vector<GrammarArgument>& given = arguments.positional();
  if (given.empty() || !given.back().value.sweep) fail("tag(..) ends with a sweep");
  for (size_t i = 0; i + 1 < given.size(); ++i) {
    if (given[i].value.sweep || given[i].value.value.kind != ConfigKind::kString) {
      fail("tag(..): tags are words");
    }
  }
  return given.back().value;
}

}  // namespace

GrammarResult call_grammar_function(const std::string& name,
                                    const std::vector<GrammarArgument>& arguments) {
  const Arguments given(name, arguments);
  if (name == "int") return cast_all(name, given, cast_to_int);
  if (name == "float") return cast_all(name, given, cast_to_float);
  if (name == "str") return cast_all(name, given, cast_to_str);
  if (name == "bool") return cast_all(name, given, cast_to_bool);
  if (name == "choice") return choice(given);
  if (name == "range") return range(given);
  if (name == "glob") return glob(given);
  if (name == "sort") return sort(given);
  if (name == "tag") return tag(given);
  if (name == "interval" || name == "shuffle") {
    fail(fmt::format("{}(..) has no place in a grid sweep; list the values in the order wanted",
                     name));
  }
  const std::vector<std::string> known{"choice", "range", "glob", "sort", "tag",
                                       "int",    "float", "str",  "bool"};
  fail(fmt::format("unknown function '{}(..)'. {}", name, suggestion(name, known)));
}

}  // namespace kvscope
