#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/config/options.h"
#include "core/engine/plan.h"
#include "policies/profiles/profile.h"

namespace kvscope {

/// One number for every (layer, head) of a model, found by profiling it once: how much a head
/// retrieves (DuoAttention, arXiv:2410.10819), the share of its attention that goes far (SSD,
/// arXiv:2510.18716). Head types are read off such a table.
class HeadTable {
 public:
  /// `values` [layers][heads]; `source` names the table in messages. Throws Error(kConfig) where it
  /// is empty, a layer has another number of heads than the first, or a number is not finite.
  HeadTable(std::vector<std::vector<double>> values, std::string source);
  /// The values of a profile of heads or layers.
  explicit HeadTable(Profile profile);

  [[nodiscard]] int64_t layers() const { return static_cast<int64_t>(values_.size()); }
  [[nodiscard]] int64_t heads() const { return static_cast<int64_t>(values_.front().size()); }
  [[nodiscard]] double at(int64_t layer, int64_t head) const { return values_[layer][head]; }
  [[nodiscard]] const std::string& source() const { return source_; }
  /// The profile it is of, without the values; null for a list of numbers.
  [[nodiscard]] const Profile* profile() const { return profile_ ? &*profile_ : nullptr; }
  /// Throws Error(kConfig) where the table is of another model: check_profile(), or, for a list of
  /// numbers, other heads or fewer layers. More layers are those of a model of which only the first
  /// layers are run.
  void check(const CacheGeometry& geometry) const;

 private:
  std::vector<std::vector<double>> values_;
  std::string source_;
  std::optional<Profile> profile_;
};

/// An option that is a table of heads.
struct HeadTableKey {
  std::string key{};
  std::string otherwise{};  ///< the word for none, and its default
  std::string words{};      ///< all words as help shows them; empty: `otherwise` alone
  std::string help{};
};

/// What the configuration has for it; null where absent.
const ConfigNode* head_table_node(Options& options, const HeadTableKey& key);

/// Option `key.key`: a list [layers][heads] of numbers, or the path of a profile of `kind`, as
/// profile_of_option() takes it; nullopt where absent or the word `key.otherwise`. Throws
/// Error(kConfig) or Error(kInput) naming the key.
std::optional<HeadTable> head_table_option(Options& options,
                                           const HeadTableKey& key,
                                           ProfileKind kind = ProfileKind::kHeads);

/// 1 for every head of `geometry` among the `count` lowest of the table, [layers][heads]; of equal
/// ones the first by layer, then head.
std::vector<std::vector<uint8_t>> lowest_heads(const HeadTable& table,
                                               const CacheGeometry& geometry,
                                               int64_t count);

}  // namespace kvscope
