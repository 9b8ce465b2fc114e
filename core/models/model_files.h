#pragma once

#include <string>
#include <string_view>

#include "core/checkpoint/tensor_map.h"

namespace kvscope {

/// A model's file: `path`, below `root` unless absolute.
std::string model_file(const std::string& root, const std::string& path);

/// All tensors of the checkpoint at `path`, below `root` unless absolute.
TensorMap load_tensors(const std::string& root, const std::string& path);

/// One part of a model ("model.", "vae.", "t5."): from its own file where it has one, else out of
/// `main`; named without the prefix, which files of one part do not have.
TensorMap part_tensors(const TensorMap& main,
                       const std::string& own_path,
                       const std::string& root,
                       std::string_view prefix);

}  // namespace kvscope
