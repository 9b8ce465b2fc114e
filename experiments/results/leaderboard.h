#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "analysis/metrics/metric.h"
#include "experiments/results/comparable.h"
#include "experiments/results/summary.h"

namespace kvscope {

/// What a leaderboard does not rank, and why.
struct LeftOut {
  std::filesystem::path folder{};
  std::string reason{};
};

/// The finished points of several folders.
struct Submissions {
  SweepSummary points{};  ///< every one once; its notes are in `left_out`
  std::vector<LeftOut> left_out{};
};

/// Reads every folder as summarise_sweep() does; a folder that it refuses, and every point that is
/// unfinished, damaged or in an earlier folder already, is left out with the reason. Where folders
/// have points of the same policy, each folder's count as a policy of their own. Writes nothing.
/// Throws Error(kInput) where no point is left, with the reasons, and for a folder that is not
/// there.
Submissions read_submissions(std::span<const std::filesystem::path> folders);

/// A policy in its place. Equal values share a rank.
struct RankedSeries {
  int64_t rank = 0;
  std::string name{};
  size_t point = 0;  ///< the one that it stands there with; of hypervolumes its best
  double value = 0;  ///< the metric of that point, or the hypervolume
};

/// Policies of one group by one metric: by hypervolume over peak KV memory, or by the best point
/// that takes no more KV memory at its peak than `limit_bytes`.
struct Ranking {
  size_t metric = 0;        ///< of shown_metrics()
  std::string budget{};     ///< whose points set the limit; empty: hypervolume
  int64_t limit_bytes = 0;  ///< the most that a point of that budget takes
  std::vector<RankedSeries> series{};
};

/// By hypervolume first, then at every budget of the group, the largest first, of every metric that
/// a point of the group has. Full caches do not compete, and points without a value do not either.
std::vector<Ranking> rankings(const SweepSummary& sweep, const ComparableGroup& group);

}  // namespace kvscope
