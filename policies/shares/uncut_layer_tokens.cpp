#include "policies/shares/uncut_layer_tokens.h"

#include <algorithm>

#include "policies/shares/even_shares.h"

namespace kvscope {

std::vector<int64_t> uncut_layer_tokens(int64_t layers,
                                        int64_t uncut,
                                        int64_t budget,
                                        int64_t full) {
  const int64_t whole = budget >= full ? layers : std::clamp<int64_t>(uncut, 0, layers);
  std::vector<int64_t> tokens(static_cast<std::size_t>(whole), full);
  const auto rest = even_shares(budget * layers - full * whole, layers - whole, 1);
  tokens.insert(tokens.end(), rest.begin(), rest.end());
  return tokens;
}

}  // namespace kvscope
