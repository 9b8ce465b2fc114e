#include "experiments/ablation/role_comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "analysis/attention/selectivity.h"
#include "analysis/statistics/rank_correlation.h"
#include "core/base/error.h"

namespace kvscope {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

const HiddenValue& value_along(const Ablation& ablation, int64_t thing, HiddenKind kind) {
  return ablation.value(thing, ablation.axes()[0].kind == kind ? 0 : 1);
}

/// Mean over heads of what the queries of steps `looking` pay to steps `looked_at`.
double mean_mass(const AttentionRecord& record,
                 int64_t layer,
                 const StepGroup& looking,
                 const StepGroup& looked_at) {
  const NamedArray& mass = record.array("mass.step");
  double sum = 0;
  for (int64_t head = 0; head < record.heads; ++head) {
    for (int64_t step = looking.first; step <= looking.last; ++step) {
      for (int64_t on = looked_at.first; on <= std::min(looked_at.last, step - 1); ++on) {
        sum += mass.at(layer, head, step, on);
      }
    }
  }
  return sum / static_cast<double>(record.heads * (looking.last - looking.first + 1));
}

/// Of every (layer, head), what its queries pay to earlier steps, mean over steps with a history.
double history_mass_of_head(const AttentionRecord& record, int64_t layer, int64_t head) {
  const NamedArray& mass = record.array("mass.step");
  double sum = 0;
  int64_t steps = 0;
  for (int64_t step = 0; step <= last_attending_step(record.steps); ++step) {
    if (record.steps[static_cast<size_t>(step)].first_token == 0) continue;
    sum += 1 - mass.at(layer, head, step, step);
    ++steps;
  }
  return steps == 0 ? kNan : sum / static_cast<double>(steps);
}

std::vector<AttentionFinding> layer_findings(const Ablation& ablation,
                                             const AttentionRecord& record,
                                             int64_t line_tokens) {
  const bool of_steps = ablation.is_over(HiddenKind::kLayer, HiddenKind::kStep);
  const HiddenKind kind = of_steps ? HiddenKind::kStep : HiddenKind::kScale;
  const LayerRoles roles = layer_roles(record, step_groups(record, line_tokens));
  const auto groups = std::ssize(roles.groups);
  AttentionFinding selectivity{.name = "ASI",
                               .expected = "-",
                               .help = "Attention Selectivity Index (ScaleKV): low is a drafter"};
  AttentionFinding z_score{.name = "Z of ASI",
                           .expected = "-",
                           .help = "the same within each scale, by which drafters are chosen"};
  AttentionFinding drafts{.name = "is a drafter",
                          .expected = "+",
                          .help = fmt::format("1 for the {} lowest Z, as attention roles has them, "
                                              "0 for refiners",
                                              roles.drafters)};
  AttentionFinding hidden{.name = "attention hidden",
                          .expected = "+",
                          .help = of_steps ? "share of its attention that the step lost"
                                           : "share of attention that later steps lost, mean"};
  for (int64_t thing = 0; thing < ablation.size(); ++thing) {
    const int64_t layer = value_along(ablation, thing, HiddenKind::kLayer).first;
    const HiddenValue& steps = value_along(ablation, thing, kind);
    const StepGroup group{steps.first, steps.last};
    const auto found = std::ranges::find(roles.groups, group);
    const int64_t pair = layer * groups + (found - roles.groups.begin());
    const bool known = found != roles.groups.end();
    selectivity.values.push_back(known ? roles.selectivity[static_cast<size_t>(pair)] : kNan);
    z_score.values.push_back(known ? roles.z_score[static_cast<size_t>(pair)] : kNan);
    const LayerRole role = known ? roles.role[static_cast<size_t>(pair)] : LayerRole::kNone;
    drafts.values.push_back(role == LayerRole::kNone ? kNan : role == LayerRole::kDrafter ? 1 : 0);
    const int64_t last = last_attending_step(record.steps);
    hidden.values.push_back(of_steps ? mean_mass(record, layer, group, {0, group.last - 1})
                                     : mean_mass(record, layer, {group.first + 1, last}, group));
  }
  return {selectivity, z_score, drafts, hidden};
}

std::vector<AttentionFinding> head_findings(const Ablation& ablation,
                                            const AttentionRecord& record,
                                            const Neighbourhood& neighbourhood) {
  const bool has_sparsity = record.holds("mass.offset");
  const std::vector<double> of_heads =
      has_sparsity ? head_sparsity(record, neighbourhood) : head_variance(record);
  AttentionFinding type{.name = has_sparsity ? "sparsity" : "variance",
                        .expected = has_sparsity ? "+" : "-",
                        .help = has_sparsity
                                    ? "attention outside the neighbourhood (SSD): high is semantic"
                                    : "variance over queries (HACK): low is contextual"};
  AttentionFinding hidden{.name = "attention hidden",
                          .expected = "+",
                          .help = "share of the head's attention that goes to earlier steps"};
  for (int64_t thing = 0; thing < ablation.size(); ++thing) {
    const int64_t layer = value_along(ablation, thing, HiddenKind::kLayer).first;
    const int64_t head = value_along(ablation, thing, HiddenKind::kHead).first;
    type.values.push_back(of_heads[static_cast<size_t>(layer * record.heads + head)]);
    hidden.values.push_back(history_mass_of_head(record, layer, head));
  }
  return {type, hidden};
}

/// What things are compared within: scales or steps, or the layers of heads.
struct Strata {
  std::string name{};
  std::vector<int64_t> of_things{};
};

Strata strata_of(const Ablation& ablation) {
  const bool of_heads = ablation.is_over(HiddenKind::kLayer, HiddenKind::kHead);
  const size_t layer_axis = ablation.axes()[0].kind == HiddenKind::kLayer ? 0 : 1;
  const size_t axis = of_heads ? layer_axis : 1 - layer_axis;
  Strata strata{.name = ablation.axes()[axis].name};
  for (int64_t thing = 0; thing < ablation.size(); ++thing) {
    strata.of_things.push_back(ablation.value(thing, axis).first);
  }
  return strata;
}

}  // namespace

std::vector<AttentionFinding> attention_findings(const Ablation& ablation,
                                                 const AttentionRecord& record,
                                                 int64_t line_tokens,
                                                 const Neighbourhood& neighbourhood) {
  if (ablation.is_over(HiddenKind::kLayer, HiddenKind::kStep) ||
      ablation.is_over(HiddenKind::kLayer, HiddenKind::kScale)) {
    return layer_findings(ablation, record, line_tokens);
  }
  if (ablation.is_over(HiddenKind::kLayer, HiddenKind::kHead)) {
    return head_findings(ablation, record, neighbourhood);
  }
  throw Error(
      ErrorKind::kConfig,
      fmt::format("--compare: roles are of layers and steps, or of layers and heads; expected "
                  "--over layer,step, layer,scale or layer,head, not {}",
                  ablation.stem()));
}

RoleComparison role_comparison(const AblationResult& result,
                               const std::vector<AttentionFinding>& findings) {
  const std::vector<double> ranks = mean_loss_ranks(result);
  if (ranks.empty()) {
    throw Error(ErrorKind::kInput,
                "--compare: not everything that was to be hidden has a value of " +
                    result.metric.label + "; expected all points finished");
  }
  RoleComparison comparison;
  const Strata strata = strata_of(result.ablation);
  Table& table = comparison.correlations;
  table.title =
      fmt::format("What attention looks like, and what hiding did to {}", result.metric.label);
  table.columns = {
      {.header = "of attention", .align = Align::kLeft, .importance = Importance::kRow},
      {.header = "Spearman's rho", .decimals = 3},
      {.header = "p", .decimals = 4},
      {.header = fmt::format("rho within a {}", strata.name), .decimals = 3},
      {.header = "p within", .decimals = 4},
      {.header = "n", .decimals = 0},
      {.header = "expected", .align = Align::kLeft},
      {.header = "what it is", .align = Align::kLeft, .importance = Importance::kDetail}};
  for (const AttentionFinding& finding : findings) {
    const RankCorrelation found = rank_correlation(finding.values, ranks);
    const RankCorrelation within = rank_correlation_within(finding.values, ranks, strata.of_things);
    table.rows.push_back(
        {.cells = {TableCell::text(finding.name), TableCell::number(found.rho),
                   TableCell::number(found.p_value), TableCell::number(within.rho),
                   TableCell::number(within.p_value),
                   TableCell::number(static_cast<double>(found.pairs)),
                   TableCell::text(finding.expected), TableCell::text(finding.help)}});
  }
  Table& things = comparison.things;
  things.title = table.title;
  for (const AblationAxis& axis : result.ablation.axes()) {
    things.columns.push_back({.header = axis.name, .align = Align::kLeft});
  }
  things.columns.push_back({.header = result.metric.label, .unit = result.metric.unit});
  things.columns.push_back({.header = "rank of loss"});
  for (const AttentionFinding& finding : findings)
    things.columns.push_back({.header = finding.name});
  for (int64_t thing = 0; thing < result.ablation.size(); ++thing) {
    TableRow row;
    for (size_t axis = 0; axis < result.ablation.axes().size(); ++axis) {
      row.cells.push_back(TableCell::text(result.ablation.value(thing, axis).label));
    }
    const auto at = static_cast<size_t>(thing);
    row.cells.push_back(TableCell::number(result.effects[at].measured.value));
    row.cells.push_back(TableCell::number(ranks[at]));
    for (const AttentionFinding& finding : findings) {
      row.cells.push_back(TableCell::number(finding.values[at]));
    }
    things.rows.push_back(std::move(row));
  }
  return comparison;
}

}  // namespace kvscope
