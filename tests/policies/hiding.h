#pragma once

#include "core/config/value.h"

namespace kvscope {

/// Whether a `policy` group reads through a mask, for ablations: what is hidden from it is hidden
/// whatever the budget, so that a whole budget is no full cache.
inline bool hides_on_purpose(const ConfigNode& policy) {
  const ConfigNode* read = policy.find("read.name");
  return read != nullptr && read->is_string() && read->as_string() == "mask";
}

}  // namespace kvscope
