#pragma once

#include <ctime>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/config/value.h"

namespace kvscope {

/// What `${name:arguments}` can ask for besides the config itself.
struct ResolverContext {
  const ConfigNode* full =
      nullptr;  // the config with its hydra node, for ${hydra:key}; may be null
  std::function<std::optional<std::string>(const std::string&)>
      environment;      // ${oc.env:NAME,default}
  std::time_t now = 0;  // ${now:%Y-%m-%d}
};

/// Replaces every interpolation of `root`: `${a.b}`, `${a[0]}`, relative `${.x}` and `${..x}`,
/// nested
/// `${a.${b}}`, text around them, and the resolvers oc.env, oc.select, oc.decode, oc.create,
/// oc.dict.keys, oc.dict.values, oc.deprecated, now, hydra. `\${` is a literal `${`. A value that
/// is one interpolation keeps the type of its target. Missing values stay "???"; an interpolation
/// to one is an error. Throws Error(kConfig) with origin and path; a cycle is shown as a -> b -> a.
ConfigNode resolve_interpolations(const ConfigNode& root, const ResolverContext& context);

/// As resolve_interpolations, but what cannot be resolved stays as written.
ConfigNode resolve_where_possible(const ConfigNode& subtree,
                                  const std::string& path,
                                  const ResolverContext& context);

/// The unresolved node that `node` at `path`, a plain `${a.b}`, stands for; none if it is no such
/// thing.
std::optional<ConfigNode> interpolated_node(const ConfigNode& root,
                                            const ConfigNode& node,
                                            const std::string& path);

}  // namespace kvscope
