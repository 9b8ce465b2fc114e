#pragma once

#include <ctime>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/config/defaults.h"
#include "core/config/interpolation.h"
#include "core/config/merge.h"
#include "core/config/repository.h"
#include "core/config/value.h"

namespace kvscope {

/// What to compose. Nothing is found in the surroundings: environment and clock are passed in.
struct ComposeRequest {
  std::vector<std::filesystem::path> folders;    // config folders, the first that has a file wins
  std::string config_name = "config";            // primary config, without .yaml
  std::vector<std::string> overrides;            // Hydra overrides, sweeps already expanded
  std::string job_name = "kvscope";              // ${hydra:job.name}
  bool multirun = false;                         // hydra.mode of the job
  AbsentKeys absent_keys = AbsentKeys::kRefuse;  // what `a.b=c` does where there is no a.b
  std::optional<int64_t> job_number;             // ${hydra:job.num}
  std::filesystem::path working_folder;          // where relative hydra.searchpath entries start
  /// Answers ${oc.env:NAME}; without it every variable is unset.
  std::function<std::optional<std::string>(const std::string&)> environment;
  std::time_t now = 0;                                // what ${now:%Y-%m-%d} prints, in local time
  std::map<std::string, ConfigResolver> resolvers{};  // ${name:...} beside the built-in ones
  /// The words that a key may be, for key=glob(..); without it, or where it answers none, a glob is
  /// over the options of groups alone.
  std::function<std::vector<std::string>(const std::string&)> words_of_key{};
};

/// A composed configuration. `config` and `unresolved` do not hold the `hydra` node.
struct Composition {
  ConfigNode config;      // interpolations resolved; a missing value stays "???"
  ConfigNode unresolved;  // as written
  ConfigNode hydra;  // the hydra node (run.dir, sweep.dir, sweeper.params, job...), resolved where
                     // it can be
  std::vector<std::pair<std::string, std::string>> choices;  // group key -> option ("null" if none)
  // Under AbsentKeys::kAdd: overrides that had nothing to act on, as typed, and why.
  std::vector<std::pair<std::string, std::string>> without_effect;
};

/// Composes the primary config with its defaults list, then applies the overrides in order, then
/// resolves interpolations: Hydra 1.3 with `version_base="1.3"`, checked against its own answers.
/// Errors are Error(kConfig) with file:line:column or the override, the nearest and the known
/// names.
Composition compose(const ComposeRequest& request);

/// The same with files that were read before: the points of a sweep parse each file once and see
/// one state of it. `repository` must have been made from request.folders.
Composition compose(const ComposeRequest& request, ConfigRepository& repository);

/// The composed tree before interpolation, `hydra` node included; groups that are not chosen yet
/// (`???`) are left out.
ConfigNode compose_unresolved(const ComposeRequest& request, ConfigRepository& repository);

/// The final defaults list of a request, and its tree; values are not looked at.
DefaultsResult defaults_of(const ComposeRequest& request, ConfigRepository& repository);

/// The folders of a request with those of its hydra.searchpath, in the order they are searched.
std::vector<std::filesystem::path> searched_folders(const ComposeRequest& request,
                                                    ConfigRepository& repository);

/// Options of a group ("policy", "experiment/paper") over all folders, sorted.
std::vector<std::string> group_options(const std::vector<std::filesystem::path>& folders,
                                       const std::string& group);

/// All groups, sorted, nested ones as "experiment/paper".
std::vector<std::string> config_groups(const std::vector<std::filesystem::path>& folders);

}  // namespace kvscope
