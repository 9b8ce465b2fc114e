#include "experiments/sweep/results_folder.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "core/base/error.h"

namespace kvscope {

void refuse_results_folder(const std::filesystem::path& folder, const std::string& why) {
  throw Error(ErrorKind::kEnvironment,
              fmt::format("results folder {}: cannot be written: {}; choose another with "
                          "hydra.sweep.dir=DIR (hydra.run.dir=DIR for a single point)",
                          folder.string(), why));
}

void prepare_results_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) refuse_results_folder(folder, error.message());
  if (access(folder.c_str(), W_OK | X_OK) != 0) refuse_results_folder(folder, std::strerror(errno));
}

}  // namespace kvscope
