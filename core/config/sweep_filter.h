#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/config/compose.h"

namespace kvscope {

/// What a filter asks of keys that no file of a composition lists but its readers know: the value
/// that is taken for them, null where nothing reads them; none for a key that nobody knows.
struct UnlistedKeys {
  std::function<std::optional<ConfigNode>(const std::string& key)> value{};
  std::function<std::vector<std::string>()> names{};  ///< to suggest
};

/// hydra.sweeper.filter at one point of a sweep: an expression (expression.h) over the composed
/// configuration that is true where the point stays. A group stands for the option that is chosen
/// of it (policy == 'full'), a key for its value. Answers why the point is dropped, with what the
/// keys are there; nullopt where it stays or there is no filter. Throws Error(kConfig) with file,
/// line and column, or the override, and the character of the text: for a text that is no
/// expression, a key that does not exist (the nearest is named), a value that is neither true nor
/// false.
std::optional<std::string> filtered_out(const Composition& composition,
                                        const UnlistedKeys& unlisted = {});

}  // namespace kvscope
