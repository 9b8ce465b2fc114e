#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "core/base/error.h"
#include "policies/component.h"
#include "policies/profiles/drafter_roles.h"
#include "policies/profiles/scalekv_tables.h"
#include "policies/shares/drafter_budget.h"

namespace kvscope {
namespace {

/// The released 8B file lets no refiner fall below 200 of 650 tokens; the rule without this floor
/// would give 188 there.
constexpr double kReleasedFloor = 200.0 / 650.0;
/// Published for 650 tokens: B_r(0) = 600, delta = 70.
constexpr double kPublishedStart = 600.0 / 650.0;
constexpr double kPublishedDecay = 70.0 / 650.0;

enum class Budgets {
  kRule,    ///< the rule behind the released files
  kLinear,  ///< the paper's B_r(k) = B_r(0) - delta * k
  kTable,   ///< a released file as it stands
};

struct Choices {
  DrafterRoles roles{};
  Budgets budgets = Budgets::kRule;
  double start = kPublishedStart;
  double decay = kPublishedDecay;
  double floor_fraction = kReleasedFloor;
  std::optional<int64_t> threshold{};  ///< tokens; none: the budget
  bool window_on_top = false;
  std::string table_name{};
  ScaleKvTable table{};
};

/// Before what may be had is looked at: tokens of the layers, and how they came about.
struct Requested {
  std::vector<int64_t> drafters{};  ///< layers, ascending
  std::vector<int64_t> tokens{};    ///< [layers]
  int64_t k = 0;                    ///< scales evicted from before this one
};

int64_t tokens_after(const StepInfo& step) {
  return step.first_token + step.queries();
}

/// Tokens of a line of a next-token model's image, which stands for a scale there; the side of a
/// square where the geometry does not say.
int64_t line_of(const CacheGeometry& geometry) {
  if (geometry.line_tokens > 0) return geometry.line_tokens;
  int64_t image = 0;
  for (const StepInfo& step : geometry.steps) image += step.kind == StepKind::kToken ? 1 : 0;
  return std::max<int64_t>(1, std::llround(std::sqrt(static_cast<double>(image))));
}

/// k of the paper's decay: scales, or finished lines, since the first eviction.
int64_t cuts_before(const CacheGeometry& geometry, const StepInfo& step, int64_t threshold) {
  const auto first = std::ranges::find_if(geometry.steps, [&](const StepInfo& one) {
    return one.stored && tokens_after(one) > threshold;
  });
  if (first == geometry.steps.end() || first->index >= step.index) return 0;
  if (step.kind == StepKind::kScale) return step.index - first->index;
  return (tokens_after(step) - tokens_after(*first)) / line_of(geometry);
}

std::string range_text(const std::vector<int64_t>& tokens) {
  if (tokens.empty()) return "-";
  const auto [least, most] = std::ranges::minmax_element(tokens);
  return *least == *most ? fmt::format("{}", *least) : fmt::format("{}..{}", *least, *most);
}

/// "920 / 632": drafters' and refiners' tokens.
std::string both_text(const std::vector<int64_t>& tokens, const std::vector<int64_t>& drafters) {
  std::vector<int64_t> of_drafters;
  std::vector<int64_t> of_refiners;
  for (int64_t layer = 0; layer < std::ssize(tokens); ++layer) {
    const bool drafts = std::ranges::binary_search(drafters, layer);
    (drafts ? of_drafters : of_refiners).push_back(tokens[layer]);
  }
  return fmt::format("{} / {}", range_text(of_drafters), range_text(of_refiners));
}

/// ScaleKV's budgets (arXiv:2505.19602, section 3.3). After every step that evicts, N_d drafters
/// hold B_d(k) tokens and N_r refiners B_r(k), with N_d B_d(k) + N_r B_r(k) = budget * layers: the
/// paper's equation, at every scale by itself as the released budgets hold it. Where the equation
/// wants more of a layer than exists, the layer holds what exists and the rest goes back to the
/// refiners.
class DrafterRefiner : public Allocate {
 public:
  explicit DrafterRefiner(Choices choices) : choices_(std::move(choices)) {}

  [[nodiscard]] HeadKinds head_kinds() const override { return HeadKinds::kDrafterRefiner; }

  [[nodiscard]] LayerHeadTokens tokens(const AllocationRequest& request) const override {
    const CacheGeometry& geometry = request.geometry;
    check_table(geometry, request.budget_tokens);
    if (!evicts(geometry, request.step, request.budget_tokens)) return request.available;
    std::vector<int64_t> available;
    for (int64_t layer = 0; layer < geometry.layers; ++layer) {
      available.push_back(std::ranges::min(request.available.at(layer)));
    }
    const Requested requested =
        request_of(geometry, request.step, request.budget_tokens, available,
                   std::min(std::max(floor_of(request.budget_tokens), request.protected_tokens),
                            request.budget_tokens));
    std::vector<int64_t> planned = requested.tokens;
    if (choices_.budgets != Budgets::kTable) {
      planned = fit_to_available(requested.tokens, available, refiners_of(geometry, requested),
                                 request.budget_tokens * geometry.layers);
    }
    for (int64_t& count : planned) count += choices_.window_on_top ? request.protected_tokens : 0;
    return LayerHeadTokens::of_layers(planned, geometry.heads);
  }

  [[nodiscard]] std::vector<std::string> remarks(const Plan& plan,
                                                 int64_t budget_tokens) const override {
    const CacheGeometry& geometry = plan.geometry();
    std::vector<std::string> lines;
    int64_t reported = -1;
    for (const StepInfo& step : geometry.steps) {
      if (!step.stored || !evicts(geometry, step, budget_tokens)) continue;
      std::vector<int64_t> available;
      std::vector<int64_t> planned;
      for (int64_t layer = 0; layer < geometry.layers; ++layer) {
        const int64_t before = step.index == 0 ? 0 : plan.kept(step.index - 1, layer, 0);
        available.push_back(before + step.queries());
        planned.push_back(plan.kept(step.index, layer, 0));
      }
      // The paper's equation has no floor; the rule behind the released files has.
      const int64_t least = choices_.budgets == Budgets::kLinear ? 0 : floor_of(budget_tokens);
      const Requested requested = request_of(geometry, step, budget_tokens, available, least);
      if (step.kind == StepKind::kToken && requested.k == reported) continue;  // one per line
      reported = requested.k;
      lines.push_back(fmt::format(
          "after step {}, for step {} (k {}): {} of {} layers {}; tokens per drafter / per "
          "refiner: requested {}, planned {}",
          step.index, step.index + 1, requested.k, requested.drafters.size(), geometry.layers,
          requested.drafters.size() == 1 ? "is a drafter" : "are drafters",
          both_text(requested.tokens, requested.drafters), both_text(planned, requested.drafters)));
    }
    return lines;
  }

 private:
  [[nodiscard]] int64_t threshold(int64_t budget_tokens) const {
    return choices_.threshold.value_or(budget_tokens);
  }

  /// Nothing is dropped while the full cache is at the threshold or below.
  [[nodiscard]] bool evicts(const CacheGeometry& geometry,
                            const StepInfo& step,
                            int64_t budget_tokens) const {
    return budget_tokens < full_cache_tokens(geometry.steps) &&
           tokens_after(step) > threshold(budget_tokens);
  }

  [[nodiscard]] static std::vector<int64_t> refiners_of(const CacheGeometry& geometry,
                                                        const Requested& requested) {
    std::vector<int64_t> refiners;
    for (int64_t layer = 0; layer < geometry.layers; ++layer) {
      if (!std::ranges::binary_search(requested.drafters, layer)) refiners.push_back(layer);
    }
    return refiners;
  }

  /// `least`: tokens below which no refiner falls.
  [[nodiscard]] Requested request_of(const CacheGeometry& geometry,
                                     const StepInfo& step,
                                     int64_t budget_tokens,
                                     const std::vector<int64_t>& available,
                                     int64_t least) const {
    Requested requested;
    requested.k = cuts_before(geometry, step, threshold(budget_tokens));
    if (choices_.budgets == Budgets::kTable) {
      const ScaleKvBudget& entry = table_entry(step);
      for (const int64_t layer : entry.drafters) {
        if (layer < geometry.layers) requested.drafters.push_back(layer);
      }
      requested.tokens.assign(static_cast<std::size_t>(geometry.layers), entry.min_tokens);
      for (const int64_t layer : requested.drafters) requested.tokens[layer] = entry.max_tokens;
      return requested;
    }
    requested.drafters = choices_.roles.after(geometry, step);
    const auto drafters = std::ssize(requested.drafters);
    std::vector<int64_t> of_drafters;
    int64_t of_refiners = 0;
    if (choices_.budgets == Budgets::kLinear) {
      of_refiners = std::max(
          least, linear_refiner_tokens(budget_tokens, choices_.start, choices_.decay, requested.k));
      of_drafters = drafters_of_equation(geometry.layers, drafters, budget_tokens, of_refiners);
    } else {
      // A scale can fill a drafter at once. A token cannot, and a drafter that asks for no more
      // than one token each never gets it where the refiners are too many to give one up together.
      int64_t most = std::max(budget_tokens, tokens_after(step));
      if (step.kind != StepKind::kToken) {
        most = budget_tokens;
        for (const int64_t layer : requested.drafters) most = std::max(most, available[layer]);
      }
      const auto each = drafter_budget(geometry.layers, drafters, budget_tokens, most, least);
      of_refiners = each.refiner_tokens;
      of_drafters.assign(static_cast<std::size_t>(drafters), each.drafter_tokens);
    }
    requested.tokens.assign(static_cast<std::size_t>(geometry.layers), of_refiners);
    for (int64_t i = 0; i < drafters; ++i) {
      requested.tokens[requested.drafters[i]] = of_drafters[i];
    }
    return requested;
  }

  /// refiner_floor_fraction in tokens.
  [[nodiscard]] int64_t floor_of(int64_t budget_tokens) const {
    // 650 * (200 / 650) must be 200 in floating point too.
    const double exact = static_cast<double>(budget_tokens) * choices_.floor_fraction + 1e-6;
    return std::min(static_cast<int64_t>(std::floor(exact)), budget_tokens);
  }

  [[nodiscard]] const ScaleKvBudget& table_entry(const StepInfo& step) const {
    const ScaleKvBudget* entry = choices_.table.after(step.index);
    if (entry != nullptr) return *entry;
    throw Error(ErrorKind::kConfig,
                fmt::format("policy.allocate.budgets={}: it starts for step {} (scales count from "
                            "0), but this schedule evicts for step {}; use budgets=rule and "
                            "roles={} instead",
                            choices_.table_name, choices_.table.budgets.front().next_scale - 1,
                            step.index + 1, choices_.table_name));
  }

  void check_table(const CacheGeometry& geometry, int64_t budget_tokens) const {
    if (choices_.budgets != Budgets::kTable) return;
    const ScaleKvTable& table = choices_.table;
    const auto scales = std::ssize(geometry.steps);
    if (scales > table.budgets.back().next_scale || geometry.layers > table.layers) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("policy.allocate.budgets={}: made for at most {} scales and {} "
                              "layers, not {} and {}; use budgets=rule and roles={} instead",
                              choices_.table_name, table.budgets.back().next_scale, table.layers,
                              scales, geometry.layers, choices_.table_name));
    }
    if (budget_tokens != table.base_tokens) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("policy.allocate.budgets={}: made for budget.tokens={}, not {}",
                              choices_.table_name, table.base_tokens, budget_tokens));
    }
  }

  Choices choices_;
};

/// budget | a number of tokens.
std::optional<int64_t> threshold_option(Options& options) {
  return options.integer_or_word(
      {.key = "threshold",
       .min = 0,
       .unit = "tokens",
       .help = "tokens of a full cache up to which nothing is evicted; 0: "
               "every scale is, from the first on"},
      "budget");
}

}  // namespace

std::unique_ptr<Allocate> make_allocate_drafter_refiner(Options& options) {
  Choices choices;
  choices.roles = DrafterRoles::from_options(options);
  const std::string budgets = options.word(
      {.key = "budgets",
       .default_value = "rule",
       .allowed = {"rule", "linear", "released_2b", "released_8b"},
       .help =
           "rule: the one behind the released files; linear: the paper's B_r(k) = B_r(0) - "
           "delta k, k scales after the first eviction, in a next-token model the finished lines; "
           "released_*: the capacities of such a file whatever the roles"});
  choices.start = options.number({.key = "refiner_start",
                                  .default_value = kPublishedStart,
                                  .min = 0,
                                  .max = 1,
                                  .help = "linear: B_r(0) as a share of the budget, 600 of 650"});
  choices.decay = options.number({.key = "refiner_decay",
                                  .default_value = kPublishedDecay,
                                  .min = 0,
                                  .max = 1,
                                  .help = "linear: delta as a share of the budget, 70 of 650"});
  if (budgets != "linear") {
    for (const char* key : {"refiner_start", "refiner_decay"}) {
      options.unused(key, "budgets is " + budgets + "; it is under linear", WrittenIn::kOverride);
    }
  }
  choices.floor_fraction = options.number(
      {.key = "refiner_floor_fraction",
       .default_value = kReleasedFloor,
       .min = 0,
       .max = 1,
       .help =
           "share of the budget below which no refiner falls, 200 of 650 in the released budgets"});
  choices.threshold = threshold_option(options);
  choices.window_on_top =
      options.word({.key = "window",
                    .default_value = "inside",
                    .allowed = {"inside", "on_top"},
                    .help = "whether what is protected, the observation window, counts within a "
                            "layer's tokens or comes on top of them"}) == "on_top";
  if (budgets == "linear") choices.budgets = Budgets::kLinear;
  if (budgets.starts_with("released")) {
    choices.budgets = Budgets::kTable;
    choices.table_name = budgets;
    choices.table = budgets == "released_2b" ? released_2b_table() : released_8b_table();
  }
  return std::make_unique<DrafterRefiner>(std::move(choices));
}

}  // namespace kvscope
