#pragma once

#include <atomic>
#include <string>

#include "core/config/value.h"

namespace kvscope {

/// Trains an embedded model from the `model` and `train` groups of `config`: caption vocabulary,
/// picture autoencoder, then text encoder and transformer. Everything is kept below train.folder,
/// from which the same command resumes after a kill; what is finished is not done again. Ends by
/// writing <folder>/model.safetensors (bf16) and captions.model, which `model.weights` and
/// `model.tokenizer` take. `stop` is looked at after every step. Returns 0, or 130 when stopped.
int train_command(const ConfigNode& config, const std::string& root, const std::atomic<bool>& stop);

}  // namespace kvscope
