#include "experiments/ablation/ablation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "core/base/between_commas.h"
#include "core/base/error.h"
#include "core/config/format.h"

namespace kvscope {
namespace {

struct KindName {
  HiddenKind kind;
  const char* name;
  const char* help;
};

constexpr std::array kNames = {
    KindName{HiddenKind::kLayer, "layer", "a layer's whole history"},
    KindName{HiddenKind::kHead, "head", "a head's whole history"},
    KindName{HiddenKind::kScale, "scale",
             "a scale (a line of a next-token image), from later ones"},
    KindName{HiddenKind::kStep, "step", "the whole history, from the queries of a scale or line"},
    KindName{HiddenKind::kSink, "sink", "the first 1, 2, 4, ... tokens"},
    KindName{HiddenKind::kText, "text", "the condition tokens of a next-token model"}};

[[noreturn]] void refuse(const std::string& over, const std::string& why) {
  throw Error(ErrorKind::kConfig, fmt::format("--over {}: {}", over, why));
}

std::vector<KindName> kinds_of(const std::string& over) {
  std::vector<std::string> known;
  known.reserve(kNames.size());
  for (const KindName& one : kNames) known.emplace_back(one.name);
  std::vector<KindName> kinds;
  for (const std::string& word : between_commas(over)) {
    const auto* const found =
        std::ranges::find_if(kNames, [&](const KindName& one) { return word == one.name; });
    if (found == kNames.end()) refuse(over, suggestion(word, known));
    kinds.push_back(*found);
  }
  if (kinds.empty() || kinds.size() > 2) {
    refuse(over, fmt::format("{} axes; expected one or two of {}, as --over layer,scale",
                             kinds.size(), fmt::join(known, ", ")));
  }
  return kinds;
}

bool names_what_is_hidden(HiddenKind kind) {
  return kind == HiddenKind::kScale || kind == HiddenKind::kSink || kind == HiddenKind::kText;
}

void check_pair(const std::string& over, const std::vector<KindName>& kinds) {
  if (kinds.size() < 2) return;
  if (kinds[0].kind == kinds[1].kind) {
    refuse(over, fmt::format("twice the same; expected --over {}", kinds[0].name));
  }
  if (names_what_is_hidden(kinds[0].kind) && names_what_is_hidden(kinds[1].kind)) {
    refuse(over, fmt::format("both say what is hidden; expected a place beside it, as --over "
                             "layer,{}",
                             kinds[1].name));
  }
}

std::vector<HiddenValue> numbers(int64_t count) {
  std::vector<HiddenValue> values;
  for (int64_t i = 0; i < count; ++i) {
    values.push_back({.label = fmt::format("{}", i), .first = i, .last = i});
  }
  return values;
}

HiddenValue value_of(const StepGroup& group, const std::vector<StepInfo>& steps) {
  HiddenValue value{.first = group.first, .last = group.last};
  const StepInfo& step = steps[static_cast<size_t>(group.first)];
  value.label = group.first == group.last ? fmt::format("{}", group.first)
                                          : fmt::format("{}..{}", group.first, group.last);
  if (step.kind == StepKind::kScale) {
    value.shape = fmt::format("{}x{}", step.grid_height, step.grid_width);
  }
  return value;
}

/// Scales or lines whose tokens a later step could see.
std::vector<HiddenValue> looked_at(const std::vector<StepInfo>& steps, int64_t line_tokens) {
  std::vector<HiddenValue> values;
  const int64_t last_looking = last_attending_step(steps);
  for (const StepGroup& group : step_groups(steps, line_tokens)) {
    if (group.first < last_looking) values.push_back(value_of(group, steps));
  }
  return values;
}

/// Scales or lines with a history.
std::vector<HiddenValue> looking(const std::vector<StepInfo>& steps, int64_t line_tokens) {
  std::vector<HiddenValue> values;
  for (const StepGroup& group : step_groups(steps, line_tokens)) {
    if (steps[static_cast<size_t>(group.last)].first_token > 0) {
      values.push_back(value_of(group, steps));
    }
  }
  return values;
}

/// 1, 2, 4, ...: below what the last step has behind it, at most 16.
std::vector<HiddenValue> sinks(const std::vector<StepInfo>& steps) {
  constexpr int64_t kMost = 16;
  const int64_t history = steps[static_cast<size_t>(last_attending_step(steps))].first_token;
  std::vector<HiddenValue> values;
  for (int64_t tokens = 1; tokens < history && tokens <= kMost; tokens *= 2) {
    values.push_back({.label = fmt::format("{}", tokens), .first = tokens, .last = tokens});
  }
  return values;
}

std::vector<HiddenValue> values_of(const std::string& over,
                                   const KindName& kind,
                                   const CacheGeometry& geometry,
                                   int64_t line_tokens) {
  switch (kind.kind) {
    case HiddenKind::kLayer:
      return numbers(geometry.layers);
    case HiddenKind::kHead:
      return numbers(geometry.heads);
    case HiddenKind::kScale:
      return looked_at(geometry.steps, line_tokens);
    case HiddenKind::kStep:
      return looking(geometry.steps, line_tokens);
    case HiddenKind::kSink:
      return sinks(geometry.steps);
    case HiddenKind::kText:
      break;
  }
  if (geometry.steps.front().kind != StepKind::kPrefill) {
    refuse(over,
           "a next-scale model has no condition tokens in its cache; expected one of layer, "
           "head, scale, step, sink, or a next-token model, as model=shapes_next_token");
  }
  return {{.label = "text"}};
}

std::string range_text(const HiddenValue& value) {
  return value.first == value.last ? fmt::format("[{}]", value.first)
                                   : fmt::format("[{}-{}]", value.first, value.last);
}

}  // namespace

Ablation::Ablation(const std::string& over, const CacheGeometry& geometry, int64_t line_tokens) {
  const std::vector<KindName> kinds = kinds_of(over);
  check_pair(over, kinds);
  for (const KindName& kind : kinds) {
    axes_.push_back({.kind = kind.kind,
                     .name = kind.name,
                     .values = values_of(over, kind, geometry, line_tokens)});
    if (!axes_.back().values.empty()) continue;
    refuse(over, fmt::format("the model has no {} with something to hide", kind.name));
  }
}

bool Ablation::is_over(HiddenKind first, HiddenKind second) const {
  return axes_.size() == 2 && ((axes_[0].kind == first && axes_[1].kind == second) ||
                               (axes_[0].kind == second && axes_[1].kind == first));
}

int64_t Ablation::size() const {
  int64_t things = 1;
  for (const AblationAxis& axis : axes_) things *= std::ssize(axis.values);
  return things;
}

const HiddenValue& Ablation::value(int64_t thing, size_t axis) const {
  const std::vector<HiddenValue>& values = axes_[axis].values;
  if (axis == 0 && axes_.size() == 2) thing /= std::ssize(axes_[1].values);
  return values[static_cast<size_t>(thing % std::ssize(values))];
}

bool Ablation::hides(int64_t thing) const {
  if (!is_over(HiddenKind::kScale, HiddenKind::kStep)) return true;
  const size_t scale_axis = axes_[0].kind == HiddenKind::kScale ? 0 : 1;
  return value(thing, scale_axis).first < value(thing, 1 - scale_axis).last;
}

std::vector<std::string> Ablation::overrides(int64_t thing) const {
  std::string steps = "all";  // the whole history, unless an axis says what of it
  std::vector<std::string> list;
  for (size_t axis = 0; axis < axes_.size(); ++axis) {
    const HiddenValue& hidden = value(thing, axis);
    switch (axes_[axis].kind) {
      case HiddenKind::kLayer:
        list.push_back("policy.read.layers=" + range_text(hidden));
        break;
      case HiddenKind::kHead:
        list.push_back("policy.read.heads=" + range_text(hidden));
        break;
      case HiddenKind::kScale:
        steps = range_text(hidden);
        break;
      case HiddenKind::kStep:
        list.push_back("policy.read.from_steps=" + range_text(hidden));
        break;
      case HiddenKind::kSink:
        steps = "none";
        list.push_back(fmt::format("policy.read.sinks={}", hidden.first));
        break;
      case HiddenKind::kText:
        steps = "none";
        list.emplace_back("policy.read.text=true");
        break;
    }
  }
  list.push_back("policy.read.steps=" + steps);
  return list;
}

std::string Ablation::stem() const {
  std::string stem;
  for (const AblationAxis& axis : axes_) stem += (stem.empty() ? "" : "_") + axis.name;
  return stem;
}

std::string ablation_axis_help() {
  std::string help = "what is hidden, one thing after the other; two as a grid (layer,scale).";
  for (const KindName& one : kNames) help += fmt::format(" {}: {}.", one.name, one.help);
  return help;
}

}  // namespace kvscope
