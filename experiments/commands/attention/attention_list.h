#pragma once

namespace kvscope {

struct AttentionListOptions {
  bool json = false;  ///< a JSON object per line
};

/// `kvscope attention list`: every statistic with its axes, unit, models, cost and one line of
/// help. Returns the exit code.
int attention_list_command(const AttentionListOptions& options);

}  // namespace kvscope
