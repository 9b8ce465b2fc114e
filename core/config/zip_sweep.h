#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/override.h"

namespace kvscope {

/// The members of `zip(key=sweep,key=sweep,...)`, the value of the override `input`: sweeps that go
/// in step. Each is choice(..), range(..), glob(..), sort(..) of them, or a list of values. None
/// where the value is no call of zip, which Hydra's grammar does not know; so no other word changes
/// its meaning. The spelling is that of Hydra's proposal, docs/design/zipped_sweeps.md. Throws
/// Error(kConfig) naming the override.
std::optional<std::vector<Override>> parse_zip(std::string_view value, const std::string& input);

}  // namespace kvscope
