#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/checkpoint/tensor_map.h"
#include "core/checkpoint/weight_spec.h"

namespace kvscope {

/// A tensor that is not in the file: its name as the file would spell it.
struct MissingWeight {
  std::string name;
  std::vector<int64_t> shape;
  /// The nearest name of that shape that the model does not ask for; empty where none is near, and
  /// of what report_text() does not list.
  std::string nearest = {};
};

/// How the tensors of a checkpoint compare with what a model needs.
struct WeightReport {
  int64_t matched = 0;
  std::vector<MissingWeight> missing;
  std::vector<std::string> mismatched;  ///< one sentence a tensor: both shapes, or both dtypes
  std::vector<std::string> unexpected;  ///< names of the file that the model does not ask for
  /// Parts that lie elsewhere ("vae."): not one tensor of them is in the file.
  std::vector<std::string> absent_parts;

  [[nodiscard]] bool fits() const { return missing.empty() && mismatched.empty(); }
};

/// Compares names, shapes and kinds of dtype (weights are floating, of whatever width). Every part
/// is looked for below its prefix where the file has names that begin so, else by bare names.
WeightReport compare_weights(const std::vector<WeightSpec>& specs, const TensorMap& tensors);

/// The report as lines: what is missing, with the nearest unexpected name of its shape, what has
/// another shape or dtype, what is unexpected (the names nearest to a missing one first). Long
/// lists are cut, and say so.
std::string report_text(const WeightReport& report);

/// Throws Error(kInput) with the report where something is missing or mismatched; logs a warning
/// where something is only unexpected. `file` and `model` are for the message.
void require_weights(const std::vector<WeightSpec>& specs,
                     const TensorMap& tensors,
                     const std::string& file,
                     const std::string& model);

}  // namespace kvscope
