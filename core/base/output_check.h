#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace kvscope {

/// Looks whether an output can be written, before the work that makes it; leaves nothing behind.
/// `option` names it in errors ("--out"). Throws Error(kConfig) where the ending of its name
/// promises another format than those of `endings` (".h5"; the first is the one that is proposed; a
/// name without an ending promises nothing), Error(kEnvironment) where it cannot be written.
void check_output(const std::filesystem::path& path,
                  const std::string& option,
                  std::span<const std::string_view> endings);

}  // namespace kvscope
