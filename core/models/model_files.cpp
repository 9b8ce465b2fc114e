#include "core/models/model_files.h"

#include <filesystem>

#include "core/checkpoint/checkpoint.h"

namespace kvscope {

std::string model_file(const std::string& root, const std::string& path) {
  return (std::filesystem::path(root) / path).string();  // an absolute path replaces the root
}

TensorMap load_tensors(const std::string& root, const std::string& path) {
  return read_checkpoint(model_file(root, path));
}

TensorMap part_tensors(const TensorMap& main,
                       const std::string& own_path,
                       const std::string& root,
                       std::string_view prefix) {
  const TensorMap tensors = own_path.empty() ? main : load_tensors(root, own_path);
  TensorMap part = tensors.below(prefix);
  return part.empty() ? tensors : part;
}

}  // namespace kvscope
