#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/options.h"
#include "core/text/captions/t5_encoder.h"

namespace kvscope {

// What families read of a `model` group in the same way.

/// Where the default of a size comes from that a published model gives.
inline constexpr const char* kOfTransformerSize = "that of transformer.size";

/// A size, 0 or more, that replaces `into` where it is given.
void read_size(Options& options,
               const std::string& key,
               int64_t& into,
               const std::string& help,
               const std::string& default_from = {});
void read_flag(Options& options, const std::string& key, bool& into, const std::string& help);
/// Channels of the levels of an image autoencoder, in those of the first.
void read_multipliers(Options& options, const std::string& key, std::vector<int64_t>& into);
/// A published size by name; empty where none is chosen.
std::string read_published_size(Options& options, const std::string& key, const std::string& help);

std::string read_name(Options& options);
/// `weights`: a file, a folder, or random.
std::string read_weights(Options& options);
/// A file that may be left out; empty where it is.
std::string read_file(Options& options, const std::string& key, const std::string& help);
/// fp32 | compact | reference.
std::string read_precision(Options& options);
/// The precision that keeps matrices and image decoder in bf16, and computes a token in fp32.
inline constexpr const char* kCompactWeights = "compact_weights";

/// `layers`: cuts `layers` to it and returns true where it is given.
bool cut_layers(Options& options, int64_t& layers);

/// `text`: a published size, and sizes that replace its own.
T5Config read_text_encoder(Options& options);
/// Throws Error(kConfig) where d_model is not `text_channels`, those of the features that the model
/// takes.
void check_text_encoder(const T5Config& text, int64_t text_channels);

/// The class that a prompt of a class-conditional model names, 0..classes - 1 ("207"). Throws
/// Error(kConfig) saying the range for anything else.
int64_t class_of_prompt(std::string_view prompt, int64_t classes);

}  // namespace kvscope
