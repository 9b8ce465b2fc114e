#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "analysis/attention/attention_record.h"
#include "analysis/attention/head_sparsity.h"
#include "experiments/ablation/ablation_result.h"
#include "experiments/report/tables/table.h"

namespace kvscope {

/// What a record of attention says of everything that was hidden.
struct AttentionFinding {
  std::string name{};      ///< "ASI"
  std::string expected{};  ///< how it should go with the loss, were the roles right: "-", "+"
  std::string help{};
  std::vector<double> values{};  ///< [ablation.size()]; NaN where it says nothing
};

/// Over layer and step, ScaleKV's Attention Selectivity Index, its Z-score within the scale, who is
/// a drafter by it, and the attention that was hidden; over layer and scale, likewise, of the scale
/// whose tokens are hidden; over layer and head, SSD's sparsity or HACK's variance and the
/// attention that was hidden. Throws Error(kInput) where the record is of another model,
/// Error(kConfig) for an ablation over anything else.
std::vector<AttentionFinding> attention_findings(const Ablation& ablation,
                                                 const AttentionRecord& record,
                                                 int64_t line_tokens,
                                                 const Neighbourhood& neighbourhood);

/// How what attention looks like goes with what hiding does.
struct RoleComparison {
  /// A row a finding: Spearman's rho with the loss and its p, of all things and within the scales
  /// (or, of heads, the layers), which differ from each other for reasons of their own.
  Table correlations{};
  Table things{};  ///< a row of everything hidden: metric, mean rank of the loss, findings
};

/// Throws Error(kInput) where a point is missing.
RoleComparison role_comparison(const AblationResult& result,
                               const std::vector<AttentionFinding>& findings);

}  // namespace kvscope
