#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/hdf5/handle.h"

namespace kvscope::hdf5 {

/// UTF-8 text of any length, the type of single texts (h5py reads it as str).
Handle variable_text_type();

/// Throws Error(kInput) naming `where` for a text with a zero byte, which the format would cut.
void check_text(std::string_view text, const std::string& where);

/// One text of `type` (fixed or variable) in `space`, through `read` = H5Aread or H5Dread bound to
/// its object. Throws Error(kInput) where it is not exactly one text.
std::string read_scalar_text(hid_t type,
                             hid_t space,
                             const std::string& where,
                             const std::function<herr_t(hid_t memory_type, void* target)>& read);

}  // namespace kvscope::hdf5
