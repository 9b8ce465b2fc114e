#pragma once

#include <memory>
#include <string>

#include "core/models/image_model.h"
#include "core/models/next_token/family.h"

namespace kvscope::next_token {

/// The model of a checked description, with its weights on `device`: random ones, or those of the
/// files that it names, relative paths below `root`. Throws Error(kInput) for files that are
/// missing, damaged or do not fit, Error(kConfig) where one is needed and not named. `family` must
/// outlive the model.
std::unique_ptr<ImageModel> open(const NextTokenFamily& family,
                                 ModelDescription model,
                                 const std::string& root,
                                 at::Device device);

}  // namespace kvscope::next_token
