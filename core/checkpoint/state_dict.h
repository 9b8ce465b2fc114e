#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "core/checkpoint/pickle_data.h"
#include "core/checkpoint/tensor_map.h"

namespace kvscope {

/// Names of the weights of a checkpoint's pickle and their places in `data.tensors`. The weights
/// are the dictionary that is the pickle, or the one below the wrappers that training programs put
/// around it ("model", "module", "state_dict", ...); what lies beside them (optimizer, steps,
/// arguments) is left out. Of a TorchScript archive (torch.jit.save), all tensors of its modules by
/// the dotted names that state_dict() gives them. Throws Error(kInput) naming `file` and the keys
/// found where there is no such dictionary.
std::vector<std::pair<std::string, size_t>> find_state_dict(const PickleData& data,
                                                            const std::string& file);

/// The tensors by the names that the model itself gives them: "module." (DDP) and "_orig_mod."
/// (torch.compile) in front of every name are taken away, FSDP's wrappers inside names too.
TensorMap without_wrappers(const TensorMap& tensors);

}  // namespace kvscope
