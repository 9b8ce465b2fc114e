#pragma once

#include <filesystem>

namespace kvscope {

struct AttentionDensityOptions {
  std::filesystem::path file{};  ///< attention.h5 of a next-scale model
  std::filesystem::path out{};   ///< FILE.svg, .png or .pdf
};

/// Draws how the heads of small and of large scales look at the scale they are in (ScaleKV,
/// arXiv:2505.19602, figure 6a): the density over heads of the mean attention per token of the
/// current scale over that per token of the whole sequence, at scales 1 to 3 and at the three
/// before the last. Returns the exit code. Throws Error(kInput) for a record without mass.step or
/// of a model without so many scales.
int attention_density_command(const AttentionDensityOptions& options);

}  // namespace kvscope
