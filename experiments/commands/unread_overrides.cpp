#include "experiments/commands/unread_overrides.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/config/override.h"
#include "experiments/sweep/text_overrides.h"

namespace kvscope {

void refuse_unread_overrides(const std::vector<std::string>& overrides,
                             const std::string& command,
                             std::span<const std::string_view> keys) {
  for (const Override& override : parse_overrides(with_quoted_texts(overrides, true))) {
    for (const std::string_view key : keys) {
      if (override.key != key && !override.key.starts_with(std::string(key) + ".")) continue;
      throw Error(
          ErrorKind::kConfig,
          fmt::format("override '{}': kvscope {} does not read '{}', kvscope run does; leave "
                      "it out",
                      override.input, command, key));
    }
  }
}

}  // namespace kvscope
