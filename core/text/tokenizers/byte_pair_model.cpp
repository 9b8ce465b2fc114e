#include "core/text/tokenizers/byte_pair_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <queue>

#include "core/base/error.h"

namespace kvscope {
namespace {

constexpr int64_t kLargestId = std::numeric_limits<int32_t>::max();

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorKind::kInput, message);
}

uint64_t pair_key(uint32_t left, uint32_t right) {
  return (uint64_t{left} << 32) | right;
}

}  // namespace

// The tokens of a piece as a linked list; a merged-away token keeps its position, marked as gone.
class BytePairModel::Word {
 public:
  Word(const BytePairModel& model, std::vector<uint32_t> ids) : model_(model) {
    const auto count = static_cast<int32_t>(ids.size());
    symbols_.reserve(ids.size());
    for (int32_t i = 0; i < count; ++i) {
      symbols_.push_back({ids[static_cast<size_t>(i)], i - 1, i + 1 < count ? i + 1 : kNone});
    }
    for (int32_t i = 0; i < count; ++i) consider(i);
  }

  std::vector<int64_t> merged() {
    while (!candidates_.empty()) {
      const Candidate best = candidates_.top();
      candidates_.pop();
      Symbol& left = symbols_[static_cast<size_t>(best.position)];
      // A candidate is outdated once either of its tokens was merged with another.
      if (left.gone || left.next == kNone) continue;
      Symbol& right = symbols_[static_cast<size_t>(left.next)];
      if (pair_key(left.id, right.id) != best.pair) continue;
      left.id = best.id;
      right.gone = true;
      left.next = right.next;
      if (right.next != kNone) symbols_[static_cast<size_t>(right.next)].previous = best.position;
      consider(best.position);
      if (left.previous != kNone) consider(left.previous);
    }
    std::vector<int64_t> ids;
    for (const Symbol& symbol : symbols_) {
      if (!symbol.gone) ids.push_back(symbol.id);
    }
    return ids;
  }

 private:
  static constexpr int32_t kNone = -1;
  struct Symbol {
    uint32_t id;
    int32_t previous;
    int32_t next;
    bool gone = false;
  };
  struct Candidate {
    uint32_t rank;
    int32_t position;  // of the left token
    uint32_t id;       // after merging
    uint64_t pair;
    bool operator<(const Candidate& other) const {  // the top of a queue is the largest
      return rank != other.rank ? rank > other.rank : position > other.position;
    }
  };

  // Queues the pair that begins at `position`, if it merges.
  void consider(int32_t position) {
    const Symbol& left = symbols_[static_cast<size_t>(position)];
    if (left.next == kNone) return;
    const uint32_t right = symbols_[static_cast<size_t>(left.next)].id;
    const Merge* merge = model_.merge_of(left.id, right);
    if (merge != nullptr) {
      candidates_.push({merge->rank, position, merge->id, pair_key(left.id, right)});
    }
  }

  const BytePairModel& model_;
  std::vector<Symbol> symbols_;
  std::priority_queue<Candidate> candidates_;
};

BytePairModel::BytePairModel(const Vocabulary& vocabulary, const Merges& merges, Options options)
    : options_(std::move(options)) {
  ids_.reserve(vocabulary.size());
  for (const auto& [token, id] : vocabulary) {
    if (id < 0 || id > kLargestId) {
      refuse(fmt::format("token '{}' has id {}, expected 0 to {}", token, id, kLargestId));
    }
    const auto [entry, fresh] = ids_.emplace(token, static_cast<uint32_t>(id));
    if (!fresh) refuse(fmt::format("token '{}' occurs twice", token));
    const auto [other, own] = tokens_.emplace(entry->second, &entry->first);
    if (!own) refuse(fmt::format("tokens '{}' and '{}' share id {}", *other->second, token, id));
    end_id_ = std::max(end_id_, id + 1);
  }
  const auto known = [&](const std::string& token, size_t rank) {
    const auto entry = ids_.find(token);
    if (entry == ids_.end()) {
      refuse(fmt::format("merge {}: '{}' is not in the vocabulary", rank, token));
    }
    return entry->second;
  };
  for (size_t rank = 0; rank < merges.size(); ++rank) {
    const auto& [left, right] = merges[rank];
    const uint64_t pair = pair_key(known(left, rank), known(right, rank));
    merges_[pair] = {static_cast<uint32_t>(rank), known(left + right, rank)};
  }
  if (options_.unknown) {
    const auto entry = ids_.find(*options_.unknown);
    if (entry == ids_.end()) {
      refuse(fmt::format("the unknown token '{}' is not in the vocabulary", *options_.unknown));
    }
    unknown_ = entry->second;
  }
}

const BytePairModel::Merge* BytePairModel::merge_of(uint32_t left, uint32_t right) const {
  const auto entry = merges_.find(pair_key(left, right));
  return entry == merges_.end() ? nullptr : &entry->second;
}

std::vector<uint32_t> BytePairModel::characters(std::string_view piece) const {
  std::vector<uint32_t> ids;
  bool after_unknown = false;
  for (size_t begin = 0; begin < piece.size();) {
    size_t end = begin + 1;
    while (end < piece.size() && (static_cast<unsigned char>(piece[end]) & 0xC0) == 0x80) ++end;
    std::string character(piece.substr(begin, end - begin));
    if (end == piece.size()) character += options_.end_of_word;
    const auto entry = ids_.find(character);
    begin = end;
    if (entry != ids_.end()) {
      ids.push_back(entry->second);
      after_unknown = false;
    } else if (unknown_) {
      if (!after_unknown || !options_.fuse_unknown) ids.push_back(*unknown_);
      after_unknown = true;
    }
  }
  return ids;
}

std::vector<int64_t> BytePairModel::encode(std::string_view piece) const {
  if (options_.ignore_merges) {
    const auto entry = ids_.find(piece);
    if (entry != ids_.end()) return {entry->second};
  }
  return Word(*this, characters(piece)).merged();
}

std::optional<int64_t> BytePairModel::id_of(std::string_view token) const {
  const auto entry = ids_.find(token);
  if (entry == ids_.end()) return std::nullopt;
  return entry->second;
}

const std::string* BytePairModel::token_of(int64_t id) const {
  if (id < 0 || id > kLargestId) return nullptr;
  const auto entry = tokens_.find(static_cast<uint32_t>(id));
  return entry == tokens_.end() ? nullptr : entry->second;
}

}  // namespace kvscope
