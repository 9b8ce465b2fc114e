#pragma once

#include <nlohmann/json_fwd.hpp>

#include "experiments/report/tables/table.h"
#include "experiments/results/leaderboard.h"

namespace kvscope {

/// [{group, metric, budget, limit_mib, rows: [{rank, name, point, hash, value}]}] over all groups,
/// metrics and budgets; group, metric and point are places in the lists of points_payload().
nlohmann::json rankings_json(const SweepSummary& sweep);

/// A ranking for readers: rank, policy, value, what the point costs, its folder.
Table ranking_table(const SweepSummary& sweep,
                    const ComparableGroup& group,
                    const Ranking& ranking);

}  // namespace kvscope
