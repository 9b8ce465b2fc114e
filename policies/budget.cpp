#include "policies/budget.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/byte_size.h"
#include "core/base/error.h"
#include "policies/slots.h"

namespace kvscope {
namespace {

struct UnitName {
  BudgetUnit unit;
  const char* key;
};
constexpr std::array<UnitName, 5> kUnits = {{{BudgetUnit::kRatio, "ratio"},
                                             {BudgetUnit::kTokens, "tokens"},
                                             {BudgetUnit::kBytes, "bytes"},
                                             {BudgetUnit::kLines, "lines"},
                                             {BudgetUnit::kScales, "scales"}}};
constexpr std::array<const char*, 4> kScopes = {"model", "layer", "head", "step"};
constexpr std::array<const char*, 3> kMoments = {"cut", "end", "peak"};
constexpr std::array<const char*, 2> kTexts = {"counted", "free"};
constexpr std::array<const char*, 2> kRows = {"separate", "tied"};

const char* key_of(BudgetUnit unit) {
  return kUnits[static_cast<std::size_t>(unit)].key;
}

[[noreturn]] void fail(const std::string& message) {
  throw Error(ErrorKind::kConfig, message);
}

/// One of `words`, by its index among them.
template <std::size_t n>
std::size_t word(Options& options,
                 const std::string& key,
                 const std::array<const char*, n>& words,
                 std::size_t default_value,
                 const std::string& help) {
  const std::string text = options.word({.key = key,
                                         .default_value = words[default_value],
                                         .allowed = {words.begin(), words.end()},
                                         .help = help});
  return static_cast<std::size_t>(std::find(words.begin(), words.end(), text) - words.begin());
}

/// The number of each unit that is given.
std::array<std::optional<double>, kUnits.size()> read_amounts(Options& options) {
  std::array<std::optional<double>, kUnits.size()> amounts;
  const auto read = [&](BudgetUnit unit) -> std::optional<double>& {
    return amounts[static_cast<std::size_t>(unit)];
  };
  const auto whole = [&](BudgetUnit unit, const std::string& unit_name, const std::string& help) {
    const auto count =
        options.integer_or_null({.key = key_of(unit), .unit = unit_name, .help = help});
    if (count) read(unit) = static_cast<double>(*count);
  };
  read(BudgetUnit::kRatio) =
      options.number_or_null({.key = "ratio",
                              .default_value = 1.0,
                              .help = "share of a full cache that stays, in (0, 1]"});
  whole(BudgetUnit::kTokens, "tokens", "tokens per head that stay, on average; replaces the ratio");
  const ConfigNode* bytes = options.value(
      {.key = "bytes",
       .accepts = "600MiB, 1.5GB or a number",
       .unit = "bytes",
       .help = "K and V of one image, its guidance rows included, as the policy stores them; "
               "replaces the ratio"});
  if (bytes != nullptr && !bytes->is_null()) {
    read(BudgetUnit::kBytes) = bytes->is_string()
                                   ? bytes_of_text("budget.bytes", bytes->as_string())
                                   : std::floor(bytes->as_double());
  }
  whole(BudgetUnit::kLines, "lines",
        "as many tokens as this many image lines have, of a next-token model; replaces the ratio");
  whole(BudgetUnit::kScales, "scales",
        "as many tokens as the last n scales that are stored have, of a next-scale model; "
        "replaces the ratio");
  return amounts;
}

/// Bytes of an image that holds `tokens` in every layer and head.
double image_bytes(const CacheGeometry& geometry, int64_t rows_per_image, int64_t tokens) {
  return static_cast<double>(geometry.layers * geometry.heads * rows_per_image *
                             geometry.head_bytes(tokens));
}

/// The most tokens, up to `most`, that fit.
int64_t tokens_in(double bytes,
                  const CacheGeometry& geometry,
                  int64_t rows_per_image,
                  int64_t most) {
  int64_t fits = 0;
  int64_t above = most + 1;
  while (above - fits > 1) {
    const int64_t middle = fits + (above - fits) / 2;
    (image_bytes(geometry, rows_per_image, middle) <= bytes ? fits : above) = middle;
  }
  return fits;
}

/// Tokens of the last `count` stored scales.
int64_t tokens_of_scales(const std::vector<StepInfo>& steps, int64_t count) {
  int64_t tokens = 0;
  for (std::size_t i = steps.size(); i-- > 0 && count > 0;) {
    if (!steps[i].stored) continue;
    tokens += steps[i].queries();
    --count;
  }
  return tokens;
}

int64_t stored_scales(const std::vector<StepInfo>& steps) {
  return std::count_if(steps.begin(), steps.end(), [](const StepInfo& s) { return s.stored; });
}

void check_unit(const Budget& budget, const CacheGeometry& geometry) {
  const bool next_scale = !geometry.steps.empty() && geometry.steps.back().kind == StepKind::kScale;
  if (budget.unit == BudgetUnit::kLines && geometry.line_tokens < 1) {
    fail(
        "budget.lines: this model writes whole scales and no lines; say budget.scales, or ratio, "
        "tokens or bytes");
  }
  if (budget.unit == BudgetUnit::kScales && !next_scale) {
    fail(
        "budget.scales: this model writes lines and no scales; say budget.lines, or ratio, tokens "
        "or bytes");
  }
}

/// Tokens that the number itself stands for, those of a free text not among them; 0 and less where
/// it stands for none.
int64_t counted_tokens(const Budget& budget,
                       const CacheGeometry& geometry,
                       int64_t full,
                       int64_t rows_per_image) {
  constexpr double kMost = 1e15;  // whole in a double, and products stay in range
  const double amount = std::clamp(budget.amount, -kMost, kMost);
  switch (budget.unit) {
    case BudgetUnit::kRatio:
      return std::llround(amount * static_cast<double>(full));
    case BudgetUnit::kTokens:
      return std::llround(amount);
    case BudgetUnit::kBytes:
      // One more than a full cache where that would leave something over.
      return tokens_in(amount, geometry, rows_per_image, full + 1);
    case BudgetUnit::kLines:
      return std::llround(std::min(amount, static_cast<double>(full + 1))) * geometry.line_tokens;
    case BudgetUnit::kScales:
      return amount > static_cast<double>(stored_scales(geometry.steps))
                 ? full + 1
                 : tokens_of_scales(geometry.steps, std::llround(amount));
  }
  return 0;
}

double layer_mean(const Plan& plan, int64_t step, int64_t layer) {
  return static_cast<double>(plan.layer_kept(step, layer)) /
         static_cast<double>(plan.geometry().heads);
}

double held_after(const Plan& plan, BudgetScope scope, int64_t step) {
  const CacheGeometry& geometry = plan.geometry();
  double most = 0;
  if (scope == BudgetScope::kModel || scope == BudgetScope::kStep) {
    for (int64_t layer = 0; layer < geometry.layers; ++layer) {
      most += layer_mean(plan, step, layer);
    }
    return most / static_cast<double>(geometry.layers);
  }
  for (int64_t layer = 0; layer < geometry.layers; ++layer) {
    if (scope == BudgetScope::kLayer || plan.scope() == CountScope::kLayer) {
      most = std::max(most, layer_mean(plan, step, layer));
      continue;
    }
    for (int64_t head = 0; head < geometry.heads; ++head) {
      most = std::max(most, static_cast<double>(plan.kept(step, layer, head)));
    }
  }
  return most;
}

/// The model's mean at its largest: within a step the layers up to one hold what they keep after
/// it, the rest what they kept before it.
double model_peak(const Plan& plan) {
  const CacheGeometry& geometry = plan.geometry();
  int64_t live = 0;
  int64_t most = 0;
  for (std::size_t step = 0; step < geometry.steps.size(); ++step) {
    const auto at = static_cast<int64_t>(step);
    for (int64_t layer = 0; layer < geometry.layers; ++layer) {
      live += plan.layer_kept(at, layer) - (step == 0 ? 0 : plan.layer_kept(at - 1, layer));
      most = std::max(most, live);
    }
  }
  return static_cast<double>(most) / static_cast<double>(geometry.layers * geometry.heads);
}

}  // namespace

Budget read_budget(Options& options) {
  Budget budget;
  const auto amounts = read_amounts(options);
  budget.amount = amounts.front().value_or(budget.amount);
  for (std::size_t i = 1; i < amounts.size(); ++i) {
    if (!amounts[i]) continue;
    if (budget.unit != BudgetUnit::kRatio) {
      fail(fmt::format("budget.{} and budget.{} are both given; leave one of them null",
                       key_of(budget.unit), kUnits[i].key));
    }
    budget.unit = kUnits[i].unit;
    budget.amount = *amounts[i];
  }
  if (budget.unit != BudgetUnit::kRatio) {
    options.unused("ratio", fmt::format("budget.{} is given instead", key_of(budget.unit)),
                   WrittenIn::kOverride);
  }
  const auto index = [](auto value) { return static_cast<std::size_t>(value); };
  budget.scope = static_cast<BudgetScope>(word(
      options, "scope", kScopes, index(budget.scope),
      "over what the number is a mean: all layers and heads (model), the heads of every layer "
      "(layer), none (head); step: as model, at every eviction, a ratio being a share of what a "
      "full cache has then"));
  budget.moment = static_cast<BudgetMoment>(
      word(options, "moment", kMoments, index(budget.moment),
           "when it holds: going into the last step (end), whatever was ever held at once (peak), "
           "or after every eviction, with what comes until the next one on top (cut)"));
  budget.free_text =
      word(options, "text", kTexts, index(budget.free_text),
           "whether the number counts condition tokens, or they come on top (free)") == 1;
  budget.tied_rows = word(options, "cfg_rows", kRows, index(budget.tied_rows),
                          "whether the two rows of a guided image choose their tokens separately, "
                          "or together by the sum of their scores (tied)") == 1;
  return budget;
}

Budget budget_from_config(const ConfigNode& node) {
  if (!node.is_map()) fail("budget: expected {ratio: 0.1} or {tokens: 650}");
  Options options("budget", node);
  const Budget budget = read_budget(options);
  options.finish();
  return budget;
}

ConfigNode budget_group(const Budget& budget) {
  ConfigNode group = ConfigNode::map();
  const bool is_ratio = budget.unit == BudgetUnit::kRatio;
  group.set("ratio", is_ratio ? budget.amount : 1.0);
  group.set("tokens", ConfigNode());
  if (!is_ratio) group.set(key_of(budget.unit), static_cast<int64_t>(budget.amount));
  if (budget.scope != BudgetScope::kModel) {
    group.set("scope", kScopes[static_cast<std::size_t>(budget.scope)]);
  }
  if (budget.moment != BudgetMoment::kEnd) {
    group.set("moment", kMoments[static_cast<std::size_t>(budget.moment)]);
  }
  if (budget.free_text) group.set("text", "free");
  if (budget.tied_rows) group.set("cfg_rows", "tied");
  return group;
}

std::string budget_text(const Budget& budget) {
  std::string text;
  if (budget.unit == BudgetUnit::kRatio) {
    text = fmt::format("{:.6g} %", 100 * budget.amount);
  } else if (budget.unit == BudgetUnit::kBytes) {
    text = exact_bytes_text(budget.amount);
  } else {
    text = fmt::format("{:.0f} {}", budget.amount, key_of(budget.unit));
  }
  if (budget.scope != BudgetScope::kModel) {
    text += fmt::format(", every {}", kScopes[static_cast<std::size_t>(budget.scope)]);
  }
  if (budget.moment == BudgetMoment::kPeak) text += ", at the peak";
  if (budget.moment == BudgetMoment::kEviction) text += ", at the evictions";
  if (budget.free_text) text += ", text free";
  if (budget.tied_rows) text += ", rows tied";
  return text;
}

std::string budget_of_tokens(const Budget& budget,
                             int64_t tokens,
                             const CacheGeometry& geometry,
                             int64_t rows_per_image) {
  const int64_t text = budget.free_text ? condition_tokens(geometry.steps) : 0;
  const int64_t full = full_cache_tokens(geometry.steps) - text;
  const int64_t counted = std::max<int64_t>(tokens - text, 0);
  const auto say = [&](const std::string& amount) {
    return fmt::format("budget.{}={}", key_of(budget.unit), amount);
  };
  switch (budget.unit) {
    case BudgetUnit::kRatio:
      return say(fmt::format("{:.6g}", static_cast<double>(counted) /
                                           static_cast<double>(std::max<int64_t>(full, 1))));
    case BudgetUnit::kBytes:
      return say(fmt::format("{:.0f}", image_bytes(geometry, rows_per_image, counted)));
    case BudgetUnit::kLines: {
      const int64_t line = std::max<int64_t>(geometry.line_tokens, 1);
      const int64_t lines = std::min((counted + line - 1) / line, full / line);
      return say(fmt::format("{}", lines));
    }
    case BudgetUnit::kScales: {
      int64_t scales = 1;
      const int64_t most = stored_scales(geometry.steps);
      while (scales < most && tokens_of_scales(geometry.steps, scales) < counted) ++scales;
      return say(fmt::format("{}", scales));
    }
    case BudgetUnit::kTokens:
      break;
  }
  return say(fmt::format("{}", counted));
}

int64_t resolved_tokens(const Budget& budget,
                        const CacheGeometry& geometry,
                        int64_t rows_per_image) {
  check_unit(budget, geometry);
  const int64_t text = budget.free_text ? condition_tokens(geometry.steps) : 0;
  const int64_t full = full_cache_tokens(geometry.steps);
  if (full < 1) return 0;  // a single step reads no history: there is nothing to keep or to drop
  const int64_t counted =
      std::isnan(budget.amount) ? 0 : counted_tokens(budget, geometry, full - text, rows_per_image);
  const bool out_of_range =
      budget.unit == BudgetUnit::kRatio && !(budget.amount > 0.0 && budget.amount <= 1.0);
  if (!out_of_range && counted >= 1 && counted + text <= full) return counted + text;
  const bool too_large = counted + text > full;  // false for what is not a number
  const std::string asked = budget.unit == BudgetUnit::kRatio
                                ? fmt::format("{}", budget.amount)
                                : fmt::format("{:.0f}", budget.amount);
  const std::string problem =
      out_of_range ? "is not in (0, 1]"
      : too_large  ? fmt::format(
                         "is more than a full cache holds going into the last step, {} "
                          "tokens per head",
                         full)
                  : fmt::format("of a full cache's {} tokens per head is none", full);
  fail(
      fmt::format("budget.{}: {} {}; nearest feasible: {}", key_of(budget.unit), asked, problem,
                  budget_of_tokens(budget, too_large ? full : text + 1, geometry, rows_per_image)));
}

double held_tokens(const Plan& plan, const Budget& budget) {
  const auto steps = static_cast<int64_t>(plan.geometry().steps.size());
  if (budget.moment != BudgetMoment::kPeak) return held_after(plan, budget.scope, steps - 1);
  if (budget.scope == BudgetScope::kModel) return model_peak(plan);
  double most = 0;
  for (int64_t step = 0; step < steps; ++step) {
    most = std::max(most, held_after(plan, budget.scope, step));
  }
  return most;
}

bool within_budget(const Plan& plan, const Budget& budget, int64_t tokens, int64_t rows_per_image) {
  constexpr double kRounding = 1e-9;  // of sums of whole numbers, far below one token
  if (budget.scope == BudgetScope::kStep) return true;
  if (budget.unit != BudgetUnit::kBytes) {
    return budget.moment == BudgetMoment::kEviction ||
           held_tokens(plan, budget) <= static_cast<double>(tokens) * (1 + kRounding);
  }
  const CacheGeometry& geometry = plan.geometry();
  const auto last = static_cast<int64_t>(geometry.steps.size()) - 1;
  const auto live = static_cast<double>(plan.live_tokens(last));
  if (live < 1) return true;
  const double mean = static_cast<double>(plan.live_bytes(last, rows_per_image)) / live;
  const double held =
      held_tokens(plan, budget) * static_cast<double>(geometry.layers * geometry.heads);
  return held * mean <= budget.amount * (1 + kRounding);
}

}  // namespace kvscope
