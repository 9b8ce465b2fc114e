#pragma once

#include <filesystem>
#include <string>

namespace kvscope {

/// Makes the folder. Throws Error(kEnvironment) that names it, and what to write to choose another,
/// where it cannot be made or written.
void prepare_results_folder(const std::filesystem::path& folder);

/// Throws that error.
[[noreturn]] void refuse_results_folder(const std::filesystem::path& folder,
                                        const std::string& why);

}  // namespace kvscope
