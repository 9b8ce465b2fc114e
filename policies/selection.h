#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace kvscope {

/// Which of equal scores stays. Pooling by maximum makes plateaus, so the last token that stays
/// often ties with others.
enum class TieRule : uint8_t {
  kEarlier,    ///< the token of the lower position
  kTorchTopK,  ///< whatever at::topk returns for the whole line on a CPU, as published code does
};

/// The `count` tokens that stay of one (row, head): all protected ones, then the highest scores;
/// indices ascending. `scores` and `is_protected` [tokens]; needs protected tokens <= count <=
/// tokens and comparable scores where nothing is protected. `positions` [tokens] say which token is
/// the earlier one; empty where they ascend.
std::vector<int64_t> keep_best(std::span<const float> scores,
                               std::span<const uint8_t> is_protected,
                               int64_t count,
                               TieRule ties = TieRule::kEarlier,
                               std::span<const int64_t> positions = {});

}  // namespace kvscope
