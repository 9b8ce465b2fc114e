#include "experiments/sweep/failure_settings.h"

namespace kvscope {

FailureSettings read_failure_settings(Options& options) {
  constexpr int64_t kMostRetries = 1000;
  FailureSettings settings;
  settings.retries = options.integer(
      {.key = "retries",
       .default_value = settings.retries,
       .min = 0,
       .max = kMostRetries,
       .help = "further attempts at a point that failed, for lack of memory or otherwise",
       .identity = Identity::kNone});
  settings.max_failures = options.integer_or_null(
      {.key = "max_failures",
       .min = 1,
       .help = "points that may fail before a sweep stops; null: it goes on with the others",
       .identity = Identity::kNone});
  const std::string on_error =
      options.word({.key = "on_error",
                    .default_value = "continue",
                    .allowed = {"continue", "stop"},
                    .help = "what a sweep does when a point has failed; stop is max_failures=1",
                    .identity = Identity::kNone});
  if (on_error == "stop") settings.max_failures = 1;
  return settings;
}

FailureSettings failure_settings(const ConfigNode& config) {
  Options options("", config);
  return read_failure_settings(options);
}

}  // namespace kvscope
