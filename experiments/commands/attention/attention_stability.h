#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace kvscope {

struct AttentionStabilityOptions {
  /// Records of one model, of more and more images; one that keeps its arrays of every image is
  /// compared with its own first 1, 2, 4, ... images.
  std::vector<std::filesystem::path> files{};
  int64_t drafters = -1;  ///< N_d; negative: default_drafters()
  bool json = false;      ///< one JSON object instead of text
};

/// How stable roles are over the number of images they are calibrated with (ScaleKV,
/// arXiv:2505.19602, figure 8): of every record the images, how many of its drafters are those of
/// the record with the most images (intersection over union), and the largest and mean difference
/// of Z-scores. Prints the table. Returns the exit code. Throws Error(kInput) for records of
/// different models, Error(kConfig) for a single one
/// of a single image.
int attention_stability_command(const AttentionStabilityOptions& options);

}  // namespace kvscope
