#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/attention/attention_record.h"

namespace kvscope {

/// Bytes that a page holds in base64, under a name that its JSON refers to.
struct PageBlock {
  std::string name{};
  std::string base64{};
};

/// A record as the explorer's page holds it: a description, and blocks of numbers and images.
struct RecordPayload {
  std::string description{};  ///< JSON in ASCII
  std::vector<PageBlock> blocks{};
  std::vector<std::string> notes{};  ///< what is not shown and why, for the console
};

/// What of a record goes into a page. Arrays with a layer axis, reduced to one number, curve or
/// map per head (reduced_array.h): halves where the file's are and nothing was averaged, else
/// floats. Query maps of as many layers as `most_map_bytes` in base64 leave room for. `file` is
/// shown; names of blocks begin with `prefix`. Equal records give equal payloads. Throws
/// Error(kInput) for arrays that contradict each other.
RecordPayload record_payload(const AttentionRecord& record,
                             const std::string& file,
                             const std::string& prefix,
                             int64_t most_map_bytes);

}  // namespace kvscope
