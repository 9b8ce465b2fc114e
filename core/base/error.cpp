#include "core/base/error.h"

#include <algorithm>
#include <cctype>

namespace kvscope {
namespace {

// Damerau-Levenshtein (optimal string alignment): a swap of two letters, the commonest typo,
// costs 1.
size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::vector<size_t>> cost(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substitution = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, substitution});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
      }
    }
  }
  return cost[a.size()][b.size()];
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

int Error::exit_code() const {
  switch (kind_) {
    case ErrorKind::kConfig:
      return 2;
    case ErrorKind::kInput:
    case ErrorKind::kEnvironment:
      return 3;
    case ErrorKind::kNumerics:
    case ErrorKind::kAudit:
      return 1;
  }
  return 1;
}

std::string nearest_name(const std::string& word, const std::vector<std::string>& known) {
  constexpr size_t kLongestWord =
      256;  // longer input is no typo of ours, and the table is quadratic
  if (word.size() > kLongestWord) return "";
  std::string best;
  size_t best_distance = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : known) {
    if (candidate.size() > kLongestWord) continue;
    const size_t distance = edit_distance(lower(word), lower(candidate));
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string suggestion(const std::string& word, const std::vector<std::string>& known) {
  std::string text;
  const std::string near = nearest_name(word, known);
  if (!near.empty()) text = "Did you mean '" + near + "'? ";
  text += "Known: ";
  for (size_t i = 0; i < known.size(); ++i) text += (i == 0 ? "" : ", ") + known[i];
  return text + ".";
}

}  // namespace kvscope
