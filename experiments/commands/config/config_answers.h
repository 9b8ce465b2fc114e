#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "core/config/compose.h"

namespace kvscope {

/// What `kvscope config` knows about an override, a composition or a sweep, as JSON. Errors of a
/// configuration become the answer {"error": {"stage", "message", ...}}: `stage` is parse (an
/// override), compose, expand or resolve.

/// override_json() of the word.
nlohmann::ordered_json parse_answer(const std::string& word);

/// `cfg` (interpolations resolved), `cfg_unresolved`, `choices` and `missing_keys`, all without the
/// hydra node, and `hydra`. If only resolving fails, the rest stands beside the error.
nlohmann::ordered_json compose_answer(const ComposeRequest& request);

/// `jobs`: the overrides of each job of the sweep, in order; `hydra_overrides`, that go to every
/// job; `batches`, the number of jobs of each, where hydra.sweeper.max_batch_size is set.
nlohmann::ordered_json expand_answer(const ComposeRequest& request);

/// One line of JSON; bytes that are not UTF-8 are replaced.
std::string one_line(const nlohmann::ordered_json& json);

}  // namespace kvscope
