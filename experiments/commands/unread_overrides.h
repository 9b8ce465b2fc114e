#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kvscope {

/// Throws Error(kConfig) for the first override that sets one of `keys`, or a group or key below
/// one: what `kvscope COMMAND` does not read, though `kvscope run` does.
void refuse_unread_overrides(const std::vector<std::string>& overrides,
                             const std::string& command,
                             std::span<const std::string_view> keys);

}  // namespace kvscope
