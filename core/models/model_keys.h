#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/config/value.h"
#include "core/text/t5_encoder.h"

namespace kvscope {

/// What families read of a `model` group in the same way.

/// The value at `key` of `node`, or null where it is absent or null.
const ConfigNode* given(const ConfigNode& node, std::string_view key);
/// Replaces `into` where `key` is given.
void read(const ConfigNode& node, std::string_view key, int64_t& into);
void read(const ConfigNode& node, std::string_view key, bool& into);
void read(const ConfigNode& node, std::string_view key, std::string& into);

/// `model.layers`: cuts `layers` to it and returns true where it is given. Throws Error(kConfig)
/// outside 1..layers.
bool cut_layers(const ConfigNode& model, int64_t& layers);

/// `model.text`: a published size, and sizes that replace its own. Throws Error(kConfig) where
/// d_model is not `text_channels`, those of the features that the model takes.
T5Config read_text_encoder(const ConfigNode& model, int64_t text_channels);

/// The class that a prompt of a class-conditional model names, 0..classes - 1 ("207"). Throws
/// Error(kConfig) saying the range for anything else.
int64_t class_of_prompt(std::string_view prompt, int64_t classes);

}  // namespace kvscope
