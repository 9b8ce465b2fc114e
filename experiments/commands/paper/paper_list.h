#pragma once

#include <filesystem>

namespace kvscope {

/// `kvscope paper list`: every figure and table of the papers behind kvscope, what it shows,
/// whether it runs with what is shipped, and how long; as one JSON object where asked. Returns the
/// exit code. Throws as paper_items().
int paper_list_command(const std::filesystem::path& config_folder, bool json);

}  // namespace kvscope
