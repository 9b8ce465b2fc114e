#include "experiments/commands/show_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "core/base/error.h"
#include "core/config/format.h"
#include "core/config/origins.h"
#include "experiments/commands/config_composition.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

/// "configs/policy/snapkv.yaml:12:3", seen from the working folder where it lies there.
std::string place_of(const ConfigNode& value) {
  const ConfigOrigin& origin = value.origin();
  if (!origin.source) return "set by the program";
  if (origin.line == 0) return origin.text();
  const fs::path file = *origin.source;
  const fs::path near = file.lexically_relative(fs::current_path());
  const bool is_below = !near.empty() && *near.begin() != "..";
  return fmt::format("{}:{}:{}", is_below ? near.string() : file.string(), origin.line,
                     origin.column);
}

/// Its place, and what stands there where that is no plain value.
std::string remark_of(const ConfigNode& value, const ConfigNode& unresolved) {
  const ConfigNode* written = unresolved.find(value.path());
  const bool is_made = written != nullptr && written->is_interpolation();
  return is_made && !(*written == value)
             ? fmt::format("{}: {}", place_of(value), written->as_string())
             : place_of(value);
}

void show_values(const ConfigArguments& arguments, const ShownConfig& shown) {
  const std::string part = shown.part.empty() ? "job" : shown.part;
  const std::vector<std::string> known = {"job", "hydra", "all"};
  if (std::ranges::find(known, part) == known.end()) {
    throw Error(ErrorKind::kConfig, fmt::format("--cfg {}: {}", part, suggestion(part, known)));
  }
  const Composition composition = compose(compose_request(arguments));
  ConfigNode config = part == "hydra" ? ConfigNode::map()
                      : shown.resolve ? composition.config
                                      : composition.unresolved;
  if (part != "job") config.set("hydra", composition.hydra);
  const ConfigNode& chosen = shown.package.empty() ? config : config.at(shown.package);
  if (!shown.origin) {
    fmt::print("{}", to_yaml(chosen));
    return;
  }
  fmt::print("{}", to_remarked_yaml(chosen, [&](const ConfigNode& value) {
               return remark_of(value, composition.unresolved);
             }));
}

}  // namespace

void add_show_options(CLI::App& command, ShownConfig& shown) {
  command.add_option("-c,--cfg", shown.part, "print the config instead")
      ->type_name("job|hydra|all");
  command.add_flag("--resolve", shown.resolve, "with interpolations filled in");
  command.add_option("-p,--package", shown.package, "only what is below this key")
      ->type_name("KEY");
  command.add_flag("--origin", shown.origin,
                   "with the place of every value: file:line:column, or the override");
  command.add_option("-i,--info", shown.info, "print how the config comes about instead")
      ->type_name(config_composition_kinds());
}

void check_shown(const ShownConfig& shown,
                 const std::vector<std::string>& acts,
                 const std::string& typed) {
  if (!shown.shows_values() && (shown.resolve || !shown.package.empty())) {
    throw Error(ErrorKind::kConfig,
                fmt::format("{} says how the config is printed; to print it: {} --cfg job",
                            shown.resolve ? "--resolve" : "--package", typed));
  }
  if (shown.is_asked() && !acts.empty()) {
    throw Error(ErrorKind::kConfig,
                fmt::format("{}: with --cfg, --origin and --info the config is printed and nothing "
                            "else is done; expected one or the other",
                            fmt::join(acts, ", ")));
  }
}

int show_config_command(const ConfigArguments& arguments, const ShownConfig& shown) {
  if (!shown.info.empty()) {
    fmt::print("{}", config_composition_text(arguments, shown.info));
    if (!shown.shows_values()) return 0;
  }
  show_values(arguments, shown);
  return 0;
}

}  // namespace kvscope
