#pragma once

#include <filesystem>

namespace kvscope {

struct SweepSummary;

/// The points that summarise_sweep() sums up, in the same order, without a number of them: for what
/// needs their images and settings alone. Throws likewise.
SweepSummary read_sweep(const std::filesystem::path& folder);

}  // namespace kvscope
