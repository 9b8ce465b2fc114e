#pragma once

#include <string>

#include "experiments/sweep/configuration.h"

namespace kvscope {

/// `kvscope train`: trains an embedded model from the `model` and `train` groups, the latter being
/// the model's own unless the overrides choose one: caption vocabulary, image autoencoder, then
/// text encoder and transformer. Everything is kept below train.folder, from which the same command
/// resumes after a kill; what is finished is not done again. Ends by writing
/// <folder>/model.safetensors (bf16) and captions.model, which `model.weights` and
/// `model.tokenizer` take. Ctrl-C is looked at after every step. Returns 0, or 130 when stopped,
/// then with `command_line` printed as the way to go on.
int train_command(ConfigArguments arguments, const std::string& command_line);

}  // namespace kvscope
