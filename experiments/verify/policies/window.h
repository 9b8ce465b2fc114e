#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "experiments/verify/policies/policy.h"

namespace kvscope::verify {

/// The published programs whose selections by window attention differ.
inline const std::vector<std::string> kWindowForms = {"KVCache-Factory", "kvpress", "R-KV"};

/// Scores and kept tokens of one layer that keeps `count` of its tokens by the attention of the
/// last w queries: parameters B, H, N, D, w, kernel, pool; tensors q_window, k, kept and, unless
/// nothing is done, scores and perhaps raw (SnapKV, and PyramidKV with a layer's own count).
void check_window_selection(const PolicyCase& of,
                            const std::string& form,
                            int64_t count,
                            PolicyGroups& groups);

}  // namespace kvscope::verify
