#include "policies/shares/even_shares.h"

#include <algorithm>

namespace kvscope {

std::vector<int64_t> even_shares(int64_t total, int64_t parts, int64_t least) {
  std::vector<int64_t> shares(static_cast<std::size_t>(std::max<int64_t>(parts, 0)), least);
  if (parts <= 0 || total <= least * parts) return shares;
  const int64_t more = total % parts;
  for (int64_t part = 0; part < parts; ++part) shares[part] = total / parts + (part < more ? 1 : 0);
  return shares;
}

}  // namespace kvscope
