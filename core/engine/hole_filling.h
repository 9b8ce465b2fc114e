#pragma once

#include <cstdint>
#include <span>

#include "core/engine/kv_cache.h"

namespace kvscope {

/// The same tokens in the order that moves the fewest of them: with M tokens kept of a (row, head),
/// those at indices below M stay where they are, and the others fill the indices in between, first
/// into first. `kept` ascending within a slot, as decided. Only for caches that do not keep their
/// order (KvCache::keeps_order), and for who does not count on it: attention does not, as keys
/// carry their positions.
[[nodiscard]] KeptIndices hole_filling(KeptIndices kept);

/// Whether `kept`, indices below `available`, has the form that hole_filling() gives: each index
/// once, and where it stands already or from behind all of them.
[[nodiscard]] bool fills_holes(std::span<const int64_t> kept, int64_t available);

}  // namespace kvscope
