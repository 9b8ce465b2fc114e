#pragma once

#include <string>

#include "core/base/error.h"

namespace kvscope {

/// Throws Error(kConfig) that says what is wrong with a model's geometry, unless `holds`.
inline void require_geometry(bool holds, const std::string& message) {
  if (!holds) throw Error(ErrorKind::kConfig, "model geometry: " + message);
}

}  // namespace kvscope
