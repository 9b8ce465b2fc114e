#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace kvscope {

/// Fewest insertions, deletions and replacements of letters, and swaps of neighbours, each letter
/// taking part in one swap at most (optimal string alignment).
size_t edit_distance(std::string_view a, std::string_view b);

/// The entry of `known` that is at most `most` edits away from `word`, case aside, and nearest: of
/// equally near ones that with fewest edits where a swap is two, then with its case, then the
/// first. It has a letter in common with `word`. Empty if there is none, or `word` is longer than
/// 256.
std::string nearest_within(const std::string& word,
                           const std::vector<std::string>& known,
                           size_t most);

}  // namespace kvscope
