#pragma once

#include <c10/core/Device.h>

#include <filesystem>
#include <string>
#include <vector>

namespace kvscope {

/// What a recomputed group of tensors is worth, as `kvscope verify` prints it.
struct GroupResult {
  std::string group{};            ///< "logits", "cache.k", "kept", ...
  double largest_difference = 0;  ///< of all tensors of the group; infinity for NaN
  double tolerance = 0;           ///< 0: must be equal
  bool ok = false;
  std::string note{};  ///< what was compared and where it differs most
  /// False where the file lacks what this optional group needs; `ok` is true then.
  bool compared = true;
};

/// A kind of file that can be verified.
struct VerifyKind {
  std::string name{};
  std::string summary{};
};

/// Every kind, in the order of the registry.
std::vector<VerifyKind> verify_kinds();

/// Recomputes the outputs recorded in `path` from the weights, inputs and configuration in it: a
/// safetensors file with a `kind` in its metadata, or a .json file of tokenizer cases with
/// its tokenizer beside it, or of statistics. What runs on a device (all but those) runs on
/// `device`, within the same tolerances. Throws Error(kInput) naming file and tensor or key where
/// something is missing, damaged or does not fit, and listing the known kinds for another kind.
std::vector<GroupResult> verify_file(const std::filesystem::path& path,
                                     c10::Device device = c10::kCPU);

}  // namespace kvscope
