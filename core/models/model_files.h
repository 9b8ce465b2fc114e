#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/checkpoint/tensor_map.h"
#include "core/checkpoint/weight_spec.h"

namespace kvscope {

/// A model's file: `path`, below `root` unless absolute.
std::string model_file(const std::string& root, const std::string& path);

/// The checkpoint files of one model, each compared with what the model asks for as it is read.
class ModelFiles {
 public:
  /// `model` is its name, for messages.
  ModelFiles(std::string root, std::string model);

  /// All tensors of the checkpoint at `path`, as it spells them; of `specs`, parts that lie in
  /// other files may be absent as a whole. Throws and warns as require_weights does.
  [[nodiscard]] TensorMap main(const std::string& path, const std::vector<WeightSpec>& specs) const;

  /// One part of a model ("model.", "vae.", "t5."): from its own file where it has one, else out of
  /// `main`; named without the prefix, which files of one part do not have. An own file must fit
  /// the `specs` of this part, and throws and warns as require_weights does.
  [[nodiscard]] TensorMap part(const TensorMap& main,
                               const std::string& own_path,
                               std::string_view prefix,
                               const std::vector<WeightSpec>& specs) const;

 private:
  std::string root_;
  std::string model_;
};

/// What of `tensors` lies below `prefix`; all of them where nothing does.
TensorMap part_tensors(const TensorMap& tensors, std::string_view prefix);

}  // namespace kvscope
