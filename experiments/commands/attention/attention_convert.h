#pragma once

#include <filesystem>
#include <string>

#include "experiments/sweep/configuration.h"

namespace kvscope {

struct AttentionConvertOptions {
  std::filesystem::path file{};  ///< of an earlier format: earlier_profile.h
  std::string model{};           ///< a model of configs/model: the shape that the file does not say
  std::filesystem::path out{};
};

/// `kvscope attention convert-profile`: writes a table of heads or layers, or roles, of an earlier
/// version as a profile, with the same numbers. Returns the exit code. Throws Error(kInput) where
/// the file is none of them, Error(kConfig) where it is of another shape than the model.
int attention_convert_command(const ConfigArguments& arguments,
                              const AttentionConvertOptions& options);

}  // namespace kvscope
