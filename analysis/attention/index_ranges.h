#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kvscope {

/// Indices from `first` to `last`, both included.
struct IndexRange {
  int64_t first = 0;
  int64_t last = 0;
  bool operator==(const IndexRange&) const = default;
};

/// "0,7..9" as ranges. Throws Error(kConfig) for anything else, and for ranges that end before they
/// begin; the message begins with `place`.
std::vector<IndexRange> index_ranges(const std::string& text, const std::string& place);

/// "0, 7..9"; empty for none.
std::string text_of(const std::vector<IndexRange>& ranges);

/// The same indices as few ascending ranges; `indices` ascending.
std::vector<IndexRange> ranges_of(const std::vector<int64_t>& indices);

/// Whether the ranges name each of 0 .. count - 1; what lies beyond is left out.
std::vector<bool> indices_named(const std::vector<IndexRange>& ranges, int64_t count);

/// Which of 0 .. count - 1 the ranges name; none name all. Throws Error(kConfig) for an index that
/// the model lacks; `what` is the plural of what is counted, as "layers".
std::vector<bool> indices_in(const std::vector<IndexRange>& ranges,
                             int64_t count,
                             const std::string& what);

}  // namespace kvscope
