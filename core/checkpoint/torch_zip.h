#pragma once

#include <filesystem>

#include "core/checkpoint/tensor_map.h"

namespace kvscope {

/// The weights of a file that torch.save wrote (1.6 or later: a zip archive of a pickle and its
/// storages), or torch.jit.save, by the names in the file. Nothing of the pickle is run. Tensors
/// are views of the mapped file with the strides they were saved with; tensors that shared a
/// storage share it again. Every number is compared with what the file really holds. Throws
/// Error(kInput) naming the file and the place.
TensorMap read_torch_zip(const std::filesystem::path& path);

}  // namespace kvscope
