#include "core/config/hydra_node.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/base/error.h"
#include "core/config/builtin_configs.h"
#include "core/config/repository.h"
#include "core/config/yaml.h"

namespace kvscope {
namespace {

/// Below these anything goes: plug-ins and users' own names.
constexpr std::array kOpenNodes{"hydra.output",      "hydra.sweeper",    "hydra.launcher",
                                "hydra.help",        "hydra.hydra_help", "hydra.hydra_logging",
                                "hydra.job_logging", "hydra.callbacks",  "hydra.env",
                                "hydra.job.env_set", "hydra.runtime"};

void check_like(const ConfigNode& node, const ConfigNode& model, const std::string& path) {
  if (std::ranges::find(kOpenNodes, path) != kOpenNodes.end() && !node.is_list()) return;
  if (node.is_interpolation()) return;
  if (model.kind() != node.kind() && (model.is_container() || node.is_container())) {
    throw Error(ErrorKind::kConfig,
                fmt::format("{}: '{}' must be {}, got {}", node.origin().text(), path,
                            model.is_container() ? kind_name(model.kind()) : "a single value",
                            kind_name(node.kind())));
  }
  if (!node.is_map()) return;
  std::vector<std::string> known;
  for (const ConfigEntry& entry : model.entries()) known.push_back(entry.name);
  for (const ConfigEntry& entry : node.entries()) {
    const ConfigNode* expected = model.child(entry.name);
    if (!expected) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("{}: unknown key '{}.{}'. {}", entry.value.origin().text(), path,
                              entry.name, suggestion(entry.name, known)));
    }
    check_like(entry.value, *expected, path + "." + entry.name);
  }
}

void set_if_missing(ConfigNode& node, const std::string& path, ConfigNode value) {
  const ConfigNode* existing = node.find(path);
  if (!existing || existing->is_missing()) node.set_path(path, std::move(value));
}

/// "a=1,b=2" of the job's own overrides, sorted, for folder names.
std::string override_dirname(const ConfigNode& hydra, const std::vector<Override>& overrides) {
  const ConfigNode& style = hydra.at("job.config.override_dirname");
  const std::vector<std::string> excluded = style.at("exclude_keys").as_string_list();
  std::vector<std::string> lines;
  for (const Override& override : overrides) {
    const bool skip = std::ranges::find(excluded, override.key) != excluded.end();
    if (!skip && !is_hydra_override(override)) lines.push_back(override.input);
  }
  std::ranges::sort(lines);
  std::string name = fmt::format("{}", fmt::join(lines, style.at("item_sep").as_string()));
  const std::string& between = style.at("kv_sep").as_string();
  for (size_t i = name.find('='); i != name.npos; i = name.find('=', i + between.size())) {
    name.replace(i, 1, between);
  }
  return name;
}

}  // namespace

bool is_hydra_override(const Override& override) {
  return override.key.starts_with("hydra.") || override.key.starts_with("hydra/");
}

bool is_modelled_hydra_path(const std::string& path) {
  if (path.starts_with("runtime.choices.") || path.starts_with("job.env_set.")) return true;
  return std::ranges::none_of(kOpenNodes, [&](std::string_view open) {
    open.remove_prefix(std::string_view("hydra.").size());
    return path == open || path.starts_with(std::string(open) + ".");
  });
}

bool takes_new_keys(const std::string& key) {
  return !key.starts_with("hydra.") || std::ranges::any_of(kOpenNodes, [&](const char* open) {
    return key.starts_with(std::string(open) + ".");
  });
}

void check_hydra_node(const ConfigNode& hydra) {
  static const ConfigNode model = [] {
    ConfigNode node =
        load_yaml_text(builtin_configs().at("hydra/config"), "built-in hydra/config.yaml");
    node.erase("defaults");
    return node;
  }();
  check_like(hydra, model, "hydra");
  const ConfigNode& mode = hydra.at("mode");
  if (!mode.is_null() &&
      (!mode.is_string() || (mode.as_string() != "RUN" && mode.as_string() != "MULTIRUN"))) {
    throw Error(ErrorKind::kConfig,
                fmt::format("{}: hydra.mode is RUN, MULTIRUN or null", mode.origin().text()));
  }
}

void fill_hydra_node(ConfigNode& hydra,
                     const ComposeRequest& request,
                     const std::vector<Override>& overrides,
                     const std::vector<std::pair<std::string, std::string>>& choices) {
  ConfigNode task = ConfigNode::list();
  ConfigNode own = ConfigNode::list();
  for (const Override& override : overrides) {
    (is_hydra_override(override) ? own : task).items().emplace_back(override.input);
  }
  hydra.set_path("overrides.task", std::move(task));
  hydra.set_path("overrides.hydra", std::move(own));
  ConfigNode chosen = ConfigNode::map();
  for (const auto& [key, option] : choices) {
    chosen.set(key, option == "null" ? ConfigNode() : ConfigNode(option));
  }
  hydra.set_path("runtime.choices", std::move(chosen));
  set_if_missing(hydra, "job.name", request.job_name);
  set_if_missing(hydra, "job.config_name", request.config_name);
  set_if_missing(hydra, "job.override_dirname", override_dirname(hydra, overrides));
  if (request.job_number) {
    set_if_missing(hydra, "job.num", *request.job_number);
    set_if_missing(hydra, "job.id", std::to_string(*request.job_number));
  }
  if (!request.working_folder.empty()) {
    set_if_missing(hydra, "runtime.cwd", request.working_folder.string());
  }
  if (request.multirun && hydra.at("mode").is_null()) hydra.set_path("mode", "MULTIRUN");
}

}  // namespace kvscope
