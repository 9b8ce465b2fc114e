#include "experiments/commands/json_output.h"

#include <fmt/format.h>

#include <cmath>

namespace kvscope {

using nlohmann::ordered_json;

void print_json(const ordered_json& object) {
  fmt::print("{}\n", object.dump(2, ' ', false, ordered_json::error_handler_t::replace));
}

ordered_json number_or_null(double value) {
  return std::isfinite(value) ? ordered_json(value) : ordered_json();
}

void add_json_flag(CLI::App& command, bool& json) {
  command.add_flag("--json", json, "one JSON object instead of text (docs/json.md)");
}

}  // namespace kvscope
