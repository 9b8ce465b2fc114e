#pragma once

#include "core/config/value.h"

namespace kvscope {

/// Whether a `policy` group drops nothing, so that budgets mean nothing to it.
bool keeps_everything(const ConfigNode& policy);

/// Whether it also stores what the model made as it is, and attends to all of it where it stood:
/// what others are compared with.
bool is_full_cache(const ConfigNode& policy);

}  // namespace kvscope
