#include "experiments/sweep/configuration.h"

#include <fmt/format.h>

#include <cstdlib>
#include <ctime>

#include "core/base/error.h"
#include "core/config/repository.h"
#include "core/text/text_input.h"
#include "experiments/sweep/known_keys.h"
#include "experiments/sweep/kv_bytes.h"
#include "experiments/sweep/moved_keys.h"
#include "experiments/sweep/text_overrides.h"
#include "policies/plugin.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPrimary = "config.yaml";

std::optional<std::string> environment_variable(const std::string& name) {
  const char* text = std::getenv(name.c_str());
  return text == nullptr ? std::nullopt : std::optional<std::string>(text);
}

void check_text(const std::string& override) {
  try {
    static_cast<void>(text_input(override, ""));
  } catch (const Error& error) {
    throw Error(ErrorKind::kConfig, fmt::format("override '{}': {}", override, error.what()));
  }
}

fs::path search_upwards(const fs::path& program) {
  for (fs::path folder = program.parent_path(); folder.has_relative_path();
       folder = folder.parent_path()) {
    for (const char* place : {"configs", "share/kvscope/configs"}) {
      if (fs::exists(folder / place / kPrimary)) return folder / place;
    }
  }
  throw Error(ErrorKind::kEnvironment,
              fmt::format("no configs/{} beside {} or above it; expected the folder of kvscope's "
                          "checkout or bundle, or KVSCOPE_CONFIGS=FOLDER",
                          kPrimary, program.string()));
}

}  // namespace

std::shared_ptr<const ComponentRegistry> component_registry(const ConfigArguments& arguments) {
  auto registry = std::make_shared<ComponentRegistry>();
  for (const std::string& library : arguments.plugins) load_plugin(library, *registry);
  return registry;
}

fs::path find_config_folder() {
  if (const auto named = environment_variable("KVSCOPE_CONFIGS")) {
    fs::path folder = fs::absolute(*named).lexically_normal();
    if (!folder.has_filename()) folder = folder.parent_path();  // "configs/"
    if (fs::exists(folder / kPrimary)) return folder;
    throw Error(ErrorKind::kEnvironment,
                fmt::format("KVSCOPE_CONFIGS={}: has no {}", *named, kPrimary));
  }
  return search_upwards(fs::canonical("/proc/self/exe"));
}

fs::path data_root() {
  return find_config_folder().parent_path();
}

ComposeRequest compose_request(const ConfigArguments& arguments) {
  ComposeRequest request;
  if (!arguments.config_folder.empty()) {
    if (!fs::is_directory(arguments.config_folder)) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("--config-dir {}: no such folder", arguments.config_folder.string()));
    }
    request.folders.push_back(fs::absolute(arguments.config_folder).lexically_normal());
  }
  const fs::path found = find_config_folder();
  if (request.folders.empty() || request.folders.front() != found) request.folders.push_back(found);
  request.config_name = arguments.config_name;
  for (const std::string& input : arguments.overrides) check_text(input);
  request.overrides = with_quoted_texts(with_moved_keys(arguments.overrides), arguments.multirun);
  request.multirun = arguments.multirun;
  request.absent_keys = AbsentKeys::kAdd;
  request.working_folder = fs::current_path();
  request.environment = environment_variable;
  request.now = std::time(nullptr);
  request.resolvers = {{"kv_bytes", kv_bytes_of}};
  request.words_of_key = declared_words_of;
  return request;
}

}  // namespace kvscope
