#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/config/options.h"

namespace kvscope {

/// A set of numbers from 0 on that an option names: `all`, a number, or a list of numbers and
/// ranges, "2-5" with both ends.
class IndexRanges {
 public:
  /// Empty.
  IndexRanges() = default;
  static IndexRanges all();
  /// These numbers, ascending.
  static IndexRanges of(std::span<const int64_t> indices);
  /// "0,7..9", as the options of commands name them; empty of an empty text. Throws Error(kConfig)
  /// for anything else and for ranges that end before they begin; the message begins with `place`.
  static IndexRanges from_text(const std::string& text, const std::string& place);

  struct Key {
    std::string key{};
    std::string default_word{};  ///< "all" or "none"
    std::string unit{};
    std::string help{};
    Identity identity = Identity::kCounts;
  };
  /// Throws Error(kConfig) naming the key where it is none of these.
  static IndexRanges from_option(Options& options, const Key& key);

  /// Those of the other as well.
  void add(const IndexRanges& more);
  [[nodiscard]] bool empty() const { return ranges_.empty(); }
  [[nodiscard]] bool is_all() const;
  [[nodiscard]] bool contains(int64_t index) const;
  /// The largest number that was named; -1 for all and for none.
  [[nodiscard]] int64_t largest() const;
  /// "0, 7..9", in the order in which they were named; empty for all and for none.
  [[nodiscard]] std::string text() const;

 private:
  std::vector<std::pair<int64_t, int64_t>> ranges_;  // both ends are in it
};

}  // namespace kvscope
