#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/checkpoint/tensor_map.h"

namespace kvscope {

/// One tensor that a model needs from its checkpoint.
struct WeightSpec {
  std::string name;            ///< as published
  std::vector<int64_t> shape;  ///< as published; -1: any size
  bool buffer = false;         ///< carried along by some checkpoints, not needed: may be missing
  /// What names start with in a file that holds every part of a model ("model.", "vae.", "t5.");
  /// in a file of this part alone they are bare. Empty: always bare.
  std::string part = {};
  std::vector<std::string> other_names = {};  ///< spellings that are taken as well
  bool any_layout = false;  ///< published in several shapes: only the number of elements counts
  bool unneeded = false;    ///< stands for all tensors whose names start so: known, never read
};

/// What a published file carries beside the tensors that are read: everything whose name starts
/// with `name` or one of `other_names`.
WeightSpec unneeded_tensors(std::string name,
                            std::string part,
                            std::vector<std::string> other_names = {});

/// Elements of all of them, buffers not counted.
int64_t parameter_count(const std::vector<WeightSpec>& specs);

/// The tensors that `specs` lists, buffers left out, by their published names. `spellings` gives
/// the names to look a published one up by, in order of preference. Throws Error(kInput) naming
/// `what` and listing everything that is missing or has another shape.
TensorMap resolve_weights(
    const std::vector<WeightSpec>& specs,
    const TensorMap& tensors,
    const std::function<std::vector<std::string>(const std::string&)>& spellings,
    const std::string& what);

}  // namespace kvscope
