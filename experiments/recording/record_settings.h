#pragma once

#include <string>
#include <vector>

#include "analysis/attention/attention_options.h"
#include "core/config/options.h"
#include "experiments/sweep/configuration.h"

namespace kvscope {

/// Asks for every key of the `record` group: what `kvscope attention record` records. Whether there
/// is guidance is of the point.
AttentionRecorderOptions read_recording(Options& options);

/// The overrides of a command line that choose what is recorded (`record=sinks`, `record.layers=0`)
/// and those that choose the point.
struct RecordOverrides {
  std::vector<std::string> of_record{};
  std::vector<std::string> of_point{};
};
/// Throws Error(kConfig) for words that are no overrides.
RecordOverrides split_record_overrides(const std::vector<std::string>& overrides);

/// The `record` group that the overrides choose; record=default where they name none. Throws
/// Error(kConfig) for keys that nobody reads and values out of range.
AttentionRecorderOptions recording_settings(ConfigArguments arguments,
                                            const std::vector<std::string>& of_record);

}  // namespace kvscope
