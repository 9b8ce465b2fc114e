#include "core/base/edit_distance.h"

#include <algorithm>
#include <cctype>
#include <limits>
#include <tuple>

namespace kvscope {
namespace {

/// The distance where a swap of neighbours costs `swap`; three rows of the table at a time.
size_t distance_with_swaps(std::string_view a, std::string_view b, size_t swap) {
  std::vector<size_t> before(b.size() + 1);
  std::vector<size_t> last(b.size() + 1);
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    std::swap(before, last);
    std::swap(last, row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replacement = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replacement});
      const bool is_swap = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (is_swap) row[j] = std::min(row[j], before[j - 2] + swap);
    }
  }
  return row[b.size()];
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

size_t edit_distance(std::string_view a, std::string_view b) {
  return distance_with_swaps(a, b, 1);
}

std::string nearest_within(const std::string& word,
                           const std::vector<std::string>& known,
                           size_t most) {
  constexpr size_t kLongestWord = 256;  // longer input is no typo of ours; the table is quadratic
  if (word.size() > kLongestWord) return "";
  const std::string small = lower(word);
  using Rank = std::tuple<size_t, size_t, size_t>;
  constexpr size_t kFar = std::numeric_limits<size_t>::max();
  Rank best = {most, kFar, kFar};
  std::string nearest;
  for (const std::string& candidate : known) {
    const size_t longer = std::max(candidate.size(), word.size());
    if (candidate.size() > kLongestWord ||
        longer - std::min(candidate.size(), word.size()) > most) {
      continue;
    }
    const std::string other = lower(candidate);
    const size_t distance = edit_distance(small, other);
    if (distance > std::get<0>(best) || distance >= longer) continue;
    const Rank rank = {distance, distance_with_swaps(small, other, 2),
                       edit_distance(word, candidate)};
    if (!nearest.empty() && rank >= best) continue;
    best = rank;
    nearest = candidate;
  }
  return nearest;
}

}  // namespace kvscope
