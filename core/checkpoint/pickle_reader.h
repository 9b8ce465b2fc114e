#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "core/checkpoint/pickle_data.h"

namespace kvscope {

/// Reads the pickle of a tensor file as data. Python's pickles are programs; this reader runs
/// nothing: it knows the handful of names that torch.save writes (OrderedDict, torch.Size, dtypes,
/// storages, the _rebuild functions of tensors), takes instances of any other class as opaque
/// values, and refuses a call of anything else, naming it. Memory stays below a limit whatever the
/// pickle says. `bytes` must outlive the result; `place` names the pickle in messages. Throws
/// Error(kInput) naming the byte.
PickleData read_pickle(std::span<const std::byte> bytes, const std::string& place);

}  // namespace kvscope
