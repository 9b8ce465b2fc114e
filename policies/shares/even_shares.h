#pragma once

#include <cstdint>
#include <vector>

namespace kvscope {

/// `total` tokens over `parts` parts, as even as whole tokens allow, the first ones having one
/// more; at least `least` each, whatever the total.
std::vector<int64_t> even_shares(int64_t total, int64_t parts, int64_t least);

}  // namespace kvscope
