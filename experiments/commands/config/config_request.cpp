#include "experiments/commands/config/config_request.h"

#include <cstdlib>
#include <ctime>
#include <optional>
#include <string>

namespace kvscope {

ComposeRequest tree_request(const std::filesystem::path& folder) {
  ComposeRequest request;
  request.folders = {std::filesystem::absolute(folder).lexically_normal()};
  request.job_name = "app";
  request.working_folder = std::filesystem::current_path();
  request.environment = [](const std::string& name) -> std::optional<std::string> {
    const char* text = std::getenv(name.c_str());
    return text == nullptr ? std::nullopt : std::optional<std::string>(text);
  };
  request.now = std::time(nullptr);
  return request;
}

}  // namespace kvscope
