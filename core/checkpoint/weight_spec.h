#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kvscope {

/// One tensor that a model needs from its checkpoint.
struct WeightSpec {
  std::string name;            ///< as published
  std::vector<int64_t> shape;  ///< as published; -1: any size
  /// What names start with in a file that holds every part of a model ("model.", "vae.", "t5.");
  /// in a file of this part alone they are bare. Empty: always bare.
  std::string part = {};
  std::vector<std::string> other_names = {};  ///< spellings that are taken as well
  bool any_layout = false;  ///< published in several shapes: only the number of elements counts
  bool optional = false;    ///< a constant that some checkpoints carry along
};

}  // namespace kvscope
