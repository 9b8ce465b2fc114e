#pragma once

#include <cstdint>
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
  std::vector<std::string> repeats;  // jobs of later blocks that earlier ones have, as text
};

/// The cartesian product, the first swept key slowest. `a=1,2`, `a=choice(..)`, `a=range(..)` and
/// `a=glob(..)` sweep; commas inside [], {}, () or quotes do not. The composed config's
/// `hydra.sweeper.params` (also when it comes from an experiment file) adds its keys in front; a
/// key on the command line replaces its entry. An empty range or glob gives no jobs. Throws
/// Error(kConfig), with the place of what a file says.
///
/// Beyond Hydra: `pair=zip(a=choice(..),b=choice(..))` goes in step, its name is no key; a glob may
/// be over a key whose words request.words_of_key knows; `hydra.sweeper.blocks` are several grids,
/// each of params, its own keys and the command line, one after the other, without repeats.
/// hydra.sweeper.filter (sweep_filter.h) is for those who compose the jobs.
ExpandedSweep expand_jobs(const ComposeRequest& request);

/// The override list of every point of a sweep: expand_jobs(), with the `hydra.*` arguments behind
/// each point's own; ExpandedSweep::repeats go into `repeats`, if given.
std::vector<std::vector<std::string>> expand_sweep(const ComposeRequest& request,
                                                   std::vector<std::string>* repeats = nullptr);

}  // namespace kvscope
