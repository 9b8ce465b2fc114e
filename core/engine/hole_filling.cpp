#include "core/engine/hole_filling.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

namespace kvscope {

KeptIndices hole_filling(KeptIndices kept) {
  std::vector<int64_t> stored;
  for (auto& slot : kept) {
    const int64_t count = std::ssize(slot);
    auto stays = slot.cbegin();
    auto moves = std::ranges::lower_bound(std::as_const(slot), count);
    if (moves == slot.cend()) continue;  // the first `count` of what is there: all stay
    stored.clear();
    for (int64_t index = 0; index < count; ++index) {
      stored.push_back(*stays == index ? *stays++ : *moves++);
    }
    std::ranges::copy(stored, slot.begin());
  }
  return kept;
}

bool fills_holes(std::span<const int64_t> kept, int64_t available) {
  const int64_t count = std::ssize(kept);
  std::vector<bool> seen(static_cast<std::size_t>(available), false);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t index = kept[i];
    if (seen[index] || (index != i && index < count)) return false;
    seen[index] = true;
  }
  return true;
}

}  // namespace kvscope
