#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace kvscope {

/// Byte pair encoding (Sennrich et al. 2016) of one piece of text: its characters, then the pair
/// with the lowest rank merged, leftmost first, until none is left.
class BytePairModel {
 public:
  struct Options {
    bool ignore_merges = false;               ///< a piece that is a token whole needs no merges
    std::optional<std::string> unknown = {};  ///< for characters without a token; none: left out
    bool fuse_unknown = false;                ///< neighbouring unknown characters give one id
    std::string end_of_word = {};             ///< written behind the last character of a piece
  };
  using Vocabulary = std::vector<std::pair<std::string, int64_t>>;
  using Merges = std::vector<std::pair<std::string, std::string>>;

  /// `merges` in order of rank; of a repeated pair the last counts. Throws Error(kInput), without
  /// naming a file, where two tokens share an id, or a merge or the unknown token is not in the
  /// vocabulary.
  BytePairModel(const Vocabulary& vocabulary, const Merges& merges, Options options);
  BytePairModel(BytePairModel&&) = default;  // a copy's tokens_ would point into the original
  BytePairModel& operator=(BytePairModel&&) = default;

  /// Ids of one piece, UTF-8. O(n log n) in its length.
  [[nodiscard]] std::vector<int64_t> encode(std::string_view piece) const;

  [[nodiscard]] std::optional<int64_t> id_of(std::string_view token) const;
  /// Null where no token has this id.
  [[nodiscard]] const std::string* token_of(int64_t id) const;
  /// One past the largest id.
  [[nodiscard]] int64_t end_id() const { return end_id_; }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  struct Merge {
    uint32_t rank = 0;
    uint32_t id = 0;
  };
  class Word;

  [[nodiscard]] const Merge* merge_of(uint32_t left, uint32_t right) const;
  [[nodiscard]] std::vector<uint32_t> characters(std::string_view piece) const;

  std::unordered_map<std::string, uint32_t, Hash, std::equal_to<>> ids_;
  std::unordered_map<uint32_t, const std::string*> tokens_;
  std::unordered_map<uint64_t, Merge> merges_;  // left id << 32 | right id
  std::optional<uint32_t> unknown_;
  Options options_;
  int64_t end_id_ = 0;
};

}  // namespace kvscope
