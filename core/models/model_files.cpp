#include "core/models/model_files.h"

#include <filesystem>
#include <utility>

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/weight_check.h"

namespace kvscope {

std::string model_file(const std::string& root, const std::string& path) {
  return (std::filesystem::path(root) / path).string();  // an absolute path replaces the root
}

ModelFiles::ModelFiles(std::string root, std::string model)
    : root_(std::move(root)), model_(std::move(model)) {}

TensorMap ModelFiles::main(const std::string& path, const std::vector<WeightSpec>& specs) const {
  TensorMap tensors = read_checkpoint(model_file(root_, path));
  require_weights(specs, tensors, path, model_);
  return tensors;
}

TensorMap ModelFiles::part(const TensorMap& main,
                           const std::string& own_path,
                           std::string_view prefix,
                           const std::vector<WeightSpec>& specs) const {
  if (own_path.empty()) return part_tensors(main, prefix);
  TensorMap tensors = part_tensors(read_checkpoint(model_file(root_, own_path)), prefix);
  std::vector<WeightSpec> bare;
  for (const WeightSpec& spec : specs) {
    if (spec.part != prefix) continue;
    bare.push_back(spec);
    bare.back().part.clear();
  }
  require_weights(bare, tensors, own_path, model_);
  return tensors;
}

TensorMap part_tensors(const TensorMap& tensors, std::string_view prefix) {
  TensorMap part = tensors.below(prefix);
  return part.empty() ? tensors : part;
}

}  // namespace kvscope
