#include "policies/shares/two_kinds.h"

#include <algorithm>

namespace kvscope {
namespace {

/// Hands out `total` tokens to `heads` heads one after the other, the first ones one more.
class EqualParts {
 public:
  EqualParts(int64_t total, int64_t heads)
      : each_(heads == 0 ? 0 : total / heads), left_(heads == 0 ? 0 : total % heads) {}
  int64_t next() { return each_ + (left_-- > 0 ? 1 : 0); }

 private:
  int64_t each_;
  int64_t left_;
};

}  // namespace

LayerHeadTokens share_among_kinds(const HeadTypes& types,
                                  int64_t budget_tokens,
                                  int64_t narrow_tokens,
                                  int64_t max_tokens) {
  int64_t narrow = 0;
  int64_t all = 0;
  for (const auto& layer : types) {
    narrow += std::count(layer.begin(), layer.end(), uint8_t{1});
    all += static_cast<int64_t>(layer.size());
  }
  const int64_t wide = all - narrow;
  const int64_t total = budget_tokens * all;
  const int64_t wanted = total - narrow * std::min(narrow_tokens, budget_tokens);
  const int64_t of_wide = std::min(wanted, wide * max_tokens);
  EqualParts wide_parts(of_wide, wide);
  EqualParts narrow_parts(total - of_wide, narrow);
  LayerHeadTokens tokens(std::ssize(types), types.empty() ? 0 : std::ssize(types.front()), 0);
  for (size_t layer = 0; layer < types.size(); ++layer) {
    for (size_t head = 0; head < types[layer].size(); ++head) {
      tokens[layer][head] = types[layer][head] == 1 ? narrow_parts.next() : wide_parts.next();
    }
  }
  return tokens;
}

}  // namespace kvscope
