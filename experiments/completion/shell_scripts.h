#pragma once

#include <string>
#include <vector>

namespace kvscope {

/// The shells that completion_script() knows.
std::vector<std::string> completed_shells();

/// The script that a shell reads to complete kvscope's words. It asks the program for them
/// (`kvscope complete`), so it need not change with it. Throws Error(kConfig) for another shell.
std::string completion_script(const std::string& shell);

}  // namespace kvscope
