#pragma once

#include <string>
#include <vector>

#include "core/config/options.h"

namespace kvscope {

/// Names of the model families.
std::vector<std::string> model_families();

/// Asks for every key that a family reads of the `model` group. Throws Error(kConfig) with the
/// nearest name for another family.
void ask_model_keys(const std::string& family, Options& options);

/// All that is wrong with the keys of a `model` group and with their values, each for itself. A key
/// that its family does not know names the families that do. Throws Error(kConfig) where the family
/// is unknown.
std::vector<std::string> model_findings(const ConfigNode& model);

/// Those of model_findings() that are about keys which nothing reads.
std::vector<UnreadKey> unread_model_keys(const ConfigNode& model);

}  // namespace kvscope
