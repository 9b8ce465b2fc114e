#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/models/var/generate.h"
#include "experiments/verify/golden_file.h"

namespace kvscope::verify {

/// A recorded generation of VAR, as far as it is needed to run it again.
struct VarRun {
  var::TransformerConfig config;
  var::VqvaeConfig vae;
  ScaleSchedule schedule;
  var::TransformerWeights weights;
  TensorMap quantizer;
  std::optional<TensorMap> decoder;  ///< files of the transformer alone have none
  bool has_head = false;             ///< trimmed files may do without: then there are no logits
  std::vector<int64_t> labels;
  var::GenerateOptions options;  ///< with the recorded ids
  std::optional<uint64_t> seed;
};

/// Reads configuration, weights, labels and ids of the kind "var". Throws Error(kInput) naming what
/// is missing or does not fit.
VarRun read_var_run(GoldenFile& file);

}  // namespace kvscope::verify
