#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "analysis/attention/attention_record.h"

namespace kvscope {

/// A record to look at, and what to call it.
struct ExploredRecord {
  std::string file{};
  AttentionRecord record{};
};

struct ExplorerPage {
  std::string html{};
  std::vector<std::string> notes{};  ///< what is not in it and why, a line each
};

/// One HTML file that needs nothing else: one record, or two side by side. Text of records is only
/// ever data in it. Query maps take at most `most_map_bytes` of it. Throws Error(kInput) for
/// records whose arrays contradict each other.
ExplorerPage explorer_page(std::span<const ExploredRecord> records, int64_t most_map_bytes);

}  // namespace kvscope
