#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "core/checkpoint/tensor_map.h"

namespace kvscope {

/// A checkpoint as it lies on disk, of whichever kind.
struct Checkpoint {
  std::string container;  ///< "safetensors" | "PyTorch zip archive"
  int64_t files = 0;      ///< shards, or 1
  TensorMap tensors;      ///< views of the mapped files: nothing is read until used
  std::map<std::string, std::string> metadata;  ///< of safetensors; the first file wins
};

/// Opens the checkpoint at `path`: a safetensors file, a file of torch.save (see read_torch_zip),
/// an
/// `*.index.json` with the shards beside it, or a folder that holds one of these (safetensors are
/// preferred where a folder holds both). What a file is, its content says and not its name. Names
/// are the model's own: see without_wrappers. Throws Error(kInput) naming the file and the place
/// for anything that is not exactly a well-formed checkpoint.
Checkpoint open_checkpoint(const std::filesystem::path& path);

/// The tensors of open_checkpoint.
TensorMap read_checkpoint(const std::filesystem::path& path);

}  // namespace kvscope
