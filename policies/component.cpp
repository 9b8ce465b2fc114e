#include "policies/component.h"

#include <fmt/core.h>

#include "core/base/error.h"

namespace kvscope {

std::string component_name(const std::string& where, const ConfigNode& node) {
  const ConfigNode* name = node.is_map() ? node.child("name") : &node;
  if (name != nullptr && name->is_string()) return name->as_string();
  const std::string origin = node.origin().text();
  throw Error(ErrorKind::kConfig,
              fmt::format("{}{}{}: expected the name of a component, as in '{{name: recency}}'",
                          origin, origin.empty() ? "" : ": ", where));
}

Options component_options(const std::string& where, const ConfigNode& node) {
  static const ConfigNode kNothing;
  Options options(where, node.is_map() ? node : kNothing);
  options.leave_to_others({"name"});
  return options;
}

}  // namespace kvscope
