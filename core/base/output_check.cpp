#include "core/base/output_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <vector>

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/base/shell_word.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// Folders above `path` that are not there, the deepest first.
std::vector<fs::path> missing_folders(const fs::path& path) {
  std::vector<fs::path> missing;
  std::error_code unknown;
  for (fs::path folder = fs::absolute(path).parent_path();
       folder.has_relative_path() && !fs::exists(folder, unknown); folder = folder.parent_path()) {
    missing.push_back(folder);
  }
  return missing;
}

}  // namespace

void check_output(const fs::path& path,
                  const std::string& option,
                  std::span<const std::string_view> endings) {
  const std::string ending = lower(path.extension().string());
  if (!ending.empty() && std::ranges::find(endings, ending) == endings.end()) {
    fs::path proposed = path;
    proposed.replace_extension(endings.front());
    throw Error(ErrorKind::kConfig,
                fmt::format("{} {}: what is written is {} and not {}; did you mean {} {}?", option,
                            path.string(), endings.front().substr(1), ending.substr(1), option,
                            shell_word(proposed.string())));
  }
  std::error_code unknown;
  if (fs::is_directory(path, unknown)) {
    throw Error(
        ErrorKind::kEnvironment,
        fmt::format("{} {}: is a folder, expected the name of a file", option, path.string()));
  }
  const std::vector<fs::path> missing = missing_folders(path);
  const auto remove_folders = [&] {
    for (const fs::path& folder : missing) fs::remove(folder, unknown);  // only while it is empty
  };
  try {
    const AtomicFile probe(path);
  } catch (const Error&) {
    remove_folders();
    throw;
  }
  remove_folders();
}

}  // namespace kvscope
