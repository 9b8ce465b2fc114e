#pragma once

#include <string>
#include <vector>

#include "experiments/completion/completion.h"
#include "experiments/sweep/configuration.h"

namespace kvscope {

/// Overrides that begin with `typed`: groups and keys, a part of a dotted key at a time, with the
/// sign that is needed (+experiment=); behind `=` the options of a group and the declared words of
/// a key, behind a comma likewise.
Completion override_words(const ConfigArguments& arguments, const std::string& typed);

/// Keys of the composed configuration, dotted, with their groups.
Completion key_words(const ConfigArguments& arguments, const std::string& typed);

/// Primary configs, for --config-name.
Completion primary_config_words(const ConfigArguments& arguments, const std::string& typed);

/// What `kvscope describe` takes: options of groups (policy/snapkv) and keys.
Completion describable_words(const ConfigArguments& arguments, const std::string& typed);

/// The judges of kvscope list judges. Like the metrics, they stand in no configuration.
std::vector<Candidate> judge_words(const ConfigArguments& arguments);

/// The metrics of kvscope list metrics; also with "all" behind them.
std::vector<Candidate> metric_words(const ConfigArguments& arguments);
std::vector<Candidate> metric_or_all_words(const ConfigArguments& arguments);

/// What `kvscope paper run` makes.
std::vector<Candidate> paper_words(const ConfigArguments& arguments);

}  // namespace kvscope
