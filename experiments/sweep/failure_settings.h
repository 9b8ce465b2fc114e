#pragma once

#include <cstdint>
#include <optional>

#include "core/config/options.h"

namespace kvscope {

/// What a sweep does when points fail: keys of the top level, read with those of LaunchSettings.
struct FailureSettings {
  int64_t retries = 0;  ///< further attempts at a point that failed
  /// Points that may fail before the sweep stops; none: it goes on with the others.
  std::optional<int64_t> max_failures{};
};
FailureSettings read_failure_settings(Options& options);

/// Those of a resolved config.
FailureSettings failure_settings(const ConfigNode& config);

}  // namespace kvscope
