#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace kvscope {

/// What a file is that stands where another was expected, from how it begins, and what helps: "a
/// pointer of Git LFS and not the file itself; git lfs pull fetches it". Empty for what is not
/// known.
std::string foreign_file(std::span<const std::byte> bytes);

}  // namespace kvscope
