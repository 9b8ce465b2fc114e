#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/config/compose.h"

namespace kvscope {

/// A sweep as Hydra's basic sweeper makes it.
struct ExpandedSweep {
  std::vector<std::vector<std::string>> jobs;  // the overrides of each, without Hydra's own
  std::vector<std::string> hydra_overrides;    // that go to every job
  std::optional<int64_t> max_batch_size;       // hydra.sweeper.max_batch_size
};

/// The cartesian product, the first swept key slowest. `a=1,2`, `a=choice(..)`, `a=range(..)` and
/// `a=glob(..)` sweep; commas inside [], {}, () or quotes do not. The composed config's
/// `hydra.sweeper.params` (also when it comes from an experiment file) adds its keys in front; a
/// key on the command line replaces its entry. An empty range or glob gives no jobs. Throws
/// Error(kConfig).
ExpandedSweep expand_jobs(const ComposeRequest& request);

/// The override list of every point of a sweep: expand_jobs(), with the `hydra.*` arguments behind
/// each point's own.
std::vector<std::vector<std::string>> expand_sweep(const ComposeRequest& request);

/// The product alone, without looking at hydra.sweeper.params: `params` are (key, value text)
/// pairs.
std::vector<std::vector<std::string>> expand_overrides(
    const std::vector<std::string>& overrides,
    const std::vector<std::pair<std::string, std::string>>& params,
    const std::vector<std::filesystem::path>& folders);

}  // namespace kvscope
