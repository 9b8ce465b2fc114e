#include "core/config/grammar_function.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/config/grammar_arguments.h"
#include "core/config/grammar_cast.h"
#include "core/config/grammar_range.h"

namespace kvscope {
namespace {

bool is_number(ConfigKind kind) {
  return kind == ConfigKind::kInt || kind == ConfigKind::kFloat || kind == ConfigKind::kBool;
}

GrammarSweep simple_sweep(const GrammarArguments& arguments) {
  GrammarSweep sweep;
  for (const GrammarResult& one : arguments.positional()) {
    if (one.sweep) arguments.fail("one sweep, or plain values");
    sweep.values.push_back(one.value);
  }
  return sweep;
}

GrammarResult cast_call(const std::string& name, GrammarArguments arguments) {
  std::optional<GrammarResult> named = arguments.take_named("value");
  if (named && !named->sweep && named->value.kind == ConfigKind::kNull) named.reset();
  arguments.finish(true);
  const std::vector<GrammarResult>& given = arguments.positional();
  if (named && !given.empty()) arguments.fail("'value' is given twice");
  if (named) return cast(name, *named);
  if (given.empty()) arguments.fail("needs a value");
  return cast(name, given.size() == 1 ? given[0] : GrammarResult{{}, simple_sweep(arguments)});
}

GrammarResult choice(const GrammarArguments& arguments) {
  arguments.finish(true);
  const std::vector<GrammarResult>& given = arguments.positional();
  if (given.empty()) arguments.fail("needs at least one value");
  GrammarSweep sweep;
  if (given.size() == 1 && given[0].sweep && given[0].sweep->kind == SweepKind::kSimple) {
    sweep = *given[0].sweep;
  } else {
    for (const GrammarResult& one : given) {
      if (one.sweep) arguments.fail("a sweep inside choice(..)");
      if (one.value.kind == ConfigKind::kNull) arguments.fail("null has no place here; use a,b");
      sweep.values.push_back(one.value);
    }
  }
  sweep.kind = SweepKind::kChoice;
  return {{}, std::move(sweep)};
}

/// A number given for a parameter; none where it was not given.
std::optional<ConfigNode> number(GrammarArguments& arguments, const std::string& name) {
  const std::optional<GrammarResult> given = arguments.take(name);
  if (!given) return std::nullopt;
  if (given->sweep || !is_number(given->value.kind)) {
    const bool no_stop = name == "stop" && !given->sweep && given->value.kind == ConfigKind::kNull;
    if (no_stop) return std::nullopt;
    arguments.fail(fmt::format("{} must be a number", name));
  }
  return given->value.scalar;
}

GrammarResult range(GrammarArguments arguments) {
  std::optional<ConfigNode> start = number(arguments, "start");
  std::optional<ConfigNode> stop = number(arguments, "stop");
  const ConfigNode step = number(arguments, "step").value_or(1);
  arguments.finish(false);
  if (!start) arguments.fail("takes (stop), (start,stop) or (start,stop,step)");
  if (!stop) stop = std::exchange(start, 0);
  return {{}, range_sweep(*start, *stop, step)};
}

GrammarResult interval(GrammarArguments arguments) {
  const std::optional<ConfigNode> start = number(arguments, "start");
  const std::optional<ConfigNode> end = number(arguments, "end");
  arguments.finish(false);
  if (!start || !end) arguments.fail("takes (start,end)");
  GrammarSweep sweep;
  sweep.kind = SweepKind::kInterval;
  sweep.start = start->kind() == ConfigKind::kBool ? ConfigNode(start->as_bool() ? 1.0 : 0.0)
                                                   : ConfigNode(start->as_double());
  sweep.stop = end->kind() == ConfigKind::kBool ? ConfigNode(end->as_bool() ? 1.0 : 0.0)
                                                : ConfigNode(end->as_double());
  return {{}, std::move(sweep)};
}

std::vector<std::string> patterns(const GrammarArguments& arguments, const GrammarResult& given) {
  std::vector<std::string> result;
  const auto take = [&](const GrammarValue& value) {
    if (value.kind != ConfigKind::kString || value.sweep) {
      arguments.fail("takes a pattern or a list of patterns");
    }
    result.push_back(value.scalar.as_string());
  };
  if (given.sweep) arguments.fail("takes a pattern or a list of patterns");
  if (given.value.kind != ConfigKind::kList) {
    take(given.value);
  } else {
    std::ranges::for_each(given.value.items, take);
  }
  return result;
}

GrammarResult glob(GrammarArguments arguments) {
  GrammarSweep sweep;
  sweep.kind = SweepKind::kGlob;
  const std::optional<GrammarResult> include = arguments.take("include");
  const std::optional<GrammarResult> exclude = arguments.take("exclude");
  arguments.finish(false);
  if (!include) arguments.fail("takes (include) or (include,exclude=..)");
  sweep.include = patterns(arguments, *include);
  const bool has_exclude = exclude && (exclude->sweep || exclude->value.kind != ConfigKind::kNull);
  if (has_exclude) sweep.exclude = patterns(arguments, *exclude);
  return {{}, std::move(sweep)};
}

/// Python's `a < b` of numbers, texts and lists; false where it has none.
bool comparable(const GrammarValue& a, const GrammarValue& b) {
  if (a.sweep || b.sweep || a.quote != '\0' || b.quote != '\0') return false;
  if (is_number(a.kind)) return is_number(b.kind);
  if (a.kind == ConfigKind::kString) return b.kind == ConfigKind::kString;
  if (a.kind != ConfigKind::kList || b.kind != ConfigKind::kList) return false;
  for (size_t i = 0; i < std::min(a.items.size(), b.items.size()); ++i) {
    if (!comparable(a.items[i], b.items[i])) return false;
  }
  return true;
}

bool less(const GrammarValue& a, const GrammarValue& b) {
  const auto value = [](const ConfigNode& node) {
    return node.kind() == ConfigKind::kBool ? static_cast<double>(node.as_bool())
                                            : node.as_double();
  };
  if (a.kind == ConfigKind::kString) return a.scalar.as_string() < b.scalar.as_string();
  if (a.kind == ConfigKind::kList) {
    return std::ranges::lexicographical_compare(a.items, b.items, less);
  }
  return value(a.scalar) < value(b.scalar);
}

void sort_values(const GrammarArguments& arguments,
                 std::vector<GrammarValue>& values,
                 bool reverse) {
  for (size_t i = 1; i < values.size(); ++i) {
    if (!comparable(values[0], values[i])) {
      arguments.fail("takes numbers or unquoted texts, not both");
    }
  }
  std::ranges::stable_sort(
      values, [&](const auto& a, const auto& b) { return reverse ? less(b, a) : less(a, b); });
}

GrammarSweep sorted(const GrammarArguments& arguments, GrammarSweep sweep, bool reverse) {
  if (sweep.kind == SweepKind::kGlob || sweep.kind == SweepKind::kInterval) {
    arguments.fail("cannot sort a glob or an interval");
  }
  if (sweep.kind == SweepKind::kRange) return sorted_range(sweep, reverse);
  sort_values(arguments, sweep.values, reverse);
  return sweep;
}

/// What sort and shuffle work on: the named list or sweep, or the only positional argument; none
/// where there are several plain values.
std::optional<GrammarResult> single_operand(GrammarArguments& arguments) {
  const auto take = [&](const char* name, auto fits) {
    std::optional<GrammarResult> given = arguments.take_named(name);
    if (given && !given->sweep && given->value.kind == ConfigKind::kNull) given.reset();
    if (given && !fits(*given)) arguments.fail(fmt::format("'{}' must be one", name));
    return given;
  };
  const auto list = take("list", [](const GrammarResult& given) {
    return !given.sweep && given.value.kind == ConfigKind::kList;
  });
  const auto sweep = take("sweep", [](const GrammarResult& given) {
    return given.sweep && given.sweep->kind != SweepKind::kGlob &&
           given.sweep->kind != SweepKind::kInterval;
  });
  arguments.finish(true);
  for (const GrammarResult& one : arguments.positional()) {
    const bool fits =
        one.sweep ? one.sweep->kind != SweepKind::kGlob && one.sweep->kind != SweepKind::kInterval
                  : one.value.kind != ConfigKind::kNull;
    if (!fits) arguments.fail("takes one sweep, one list or plain values");
  }
  if (list) return list;
  if (sweep) return sweep;
  if (arguments.positional().size() == 1) return arguments.positional()[0];
  return std::nullopt;
}

GrammarResult sort(GrammarArguments arguments) {
  const bool reverse = arguments.take_flag("reverse");
  std::optional<GrammarResult> operand = single_operand(arguments);
  if (operand) {
    if (operand->sweep) return {{}, sorted(arguments, *operand->sweep, reverse)};
    if (operand->value.kind == ConfigKind::kList) {
      sort_values(arguments, operand->value.items, reverse);
    }
    return *operand;
  }
  if (arguments.positional().empty()) arguments.fail("needs values");
  GrammarSweep sweep = simple_sweep(arguments);
  for (const GrammarValue& value : sweep.values) {
    if (value.kind == ConfigKind::kList || value.kind == ConfigKind::kMap) {
      arguments.fail("takes one list, or plain values");
    }
  }
  return {{}, sorted(arguments, std::move(sweep), reverse)};
}

/// Fisher and Yates' shuffle with numbers that follow from `seed` alone.
void shuffle_values(std::vector<GrammarValue>& values, std::string_view seed) {
  for (size_t i = values.size(); i > 1; --i) {
    const std::string digest = sha256_hex(fmt::format("{} {}", i, seed));
    const size_t other = std::stoull(digest.substr(0, 12), nullptr, 16) % i;
    std::swap(values[i - 1], values[other]);
  }
}

GrammarResult shuffle(GrammarArguments arguments) {
  std::optional<GrammarResult> operand = single_operand(arguments);
  GrammarSweep sweep;
  if (operand && !operand->sweep) {
    GrammarValue list;
    list.kind = ConfigKind::kList;
    list.items = {operand->value};
    if (operand->value.kind == ConfigKind::kList) {
      list = std::move(operand->value);
      shuffle_values(list.items, list.text());
    }
    return {std::move(list), {}};
  }
  sweep = operand ? *operand->sweep : simple_sweep(arguments);
  sweep.shuffle = true;
  return {{}, std::move(sweep)};
}

GrammarResult tag(GrammarArguments arguments) {
  std::vector<GrammarResult> given = arguments.positional();
  if (given.empty()) arguments.fail("ends with a sweep");
  if (const auto named = arguments.take_named("sweep")) {
    const bool none = !named->sweep && named->value.kind == ConfigKind::kNull;
    if (!none && (!named->sweep || named->sweep->kind == SweepKind::kGlob)) {
      arguments.fail("'sweep' must be one");
    }
    if (!none) given.push_back(*named);
  }
  arguments.finish(true);
  if (!given.back().sweep || given.back().sweep->kind == SweepKind::kGlob) {
    arguments.fail("ends with a sweep that is no glob");
  }
  std::set<std::string> tags;
  for (size_t i = 0; i + 1 < given.size(); ++i) {
    if (given[i].sweep || given[i].value.kind != ConfigKind::kString) {
      arguments.fail("tags are words");
    }
    tags.insert(given[i].value.scalar.as_string());
  }
  given.back().sweep->tags.assign(tags.begin(), tags.end());
  return given.back();
}

}  // namespace

GrammarResult call_grammar_function(const std::string& name,
                                    std::vector<GrammarArgument> arguments) {
  GrammarArguments given(name, std::move(arguments));
  if (is_cast(name)) return cast_call(name, std::move(given));
  if (name == "choice") return choice(given);
  if (name == "range") return range(std::move(given));
  if (name == "interval") return interval(std::move(given));
  if (name == "glob") return glob(std::move(given));
  if (name == "sort") return sort(std::move(given));
  if (name == "shuffle") return shuffle(std::move(given));
  if (name == "tag") return tag(std::move(given));
  const std::vector<std::string> known{"choice", "range", "interval", "glob", "sort", "shuffle",
                                       "tag",    "int",   "float",    "str",  "bool"};
  throw Error(ErrorKind::kConfig,
              fmt::format("unknown function '{}(..)'. {}", name, suggestion(name, known)));
}

std::vector<GrammarValue> sweep_values(const GrammarSweep& sweep, std::string_view seed) {
  std::vector<GrammarValue> values = sweep.values;
  if (sweep.shuffle) shuffle_values(values, seed);
  return values;
}

}  // namespace kvscope
