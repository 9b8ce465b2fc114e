#pragma once

#include <ctime>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/config/value.h"

namespace kvscope {

/// A function of values alone: ${name:argument,...}. Throws Error(kConfig) where they do not suit
/// it.
using ConfigResolver = std::function<ConfigNode(const std::vector<ConfigNode>& arguments)>;

/// What `${name:arguments}` can ask for besides the config itself.
struct ResolverContext {
  const ConfigNode* full =
      nullptr;  // the config with its hydra node, for ${hydra:key}; may be null
  std::function<std::optional<std::string>(const std::string&)>
      environment;                                    // ${oc.env:NAME,default}
  std::time_t now = 0;                                // ${now:%Y-%m-%d}
  std::map<std::string, ConfigResolver> resolvers{};  // by name, beside the built-in ones
};

/// Replaces every interpolation of `root` as OmegaConf 2.3 does: `${a.b}`, `${a[0]}`, relative
/// `${.x}` and `${..x}`, nested `${a.${b}}`, text around them, and the resolvers oc.env, oc.select,
/// oc.decode, oc.create, oc.dict.keys, oc.dict.values, oc.deprecated, now, hydra and, of our own,
/// calc.
/// `\${` is a literal `${`. A value that is one interpolation keeps the type of its target, and
/// what stands inside the target is resolved where the target stands. Missing values stay "???"; an
/// interpolation to one is an error. Throws Error(kConfig) with origin and path; a cycle is shown
/// as a -> b -> a.
ConfigNode resolve_interpolations(const ConfigNode& root, const ResolverContext& context);

/// As resolve_interpolations, but what cannot be resolved stays as written.
ConfigNode resolve_where_possible(const ConfigNode& subtree,
                                  const std::string& path,
                                  const ResolverContext& context);

/// A value found by its dotted path, interpolations followed.
struct SelectedValue {
  std::vector<std::string> keys;  // from the root to where it stands
  bool in_tree = true;            // false: a resolver made it
  ConfigNode value;               // with its interpolations resolved where possible
};

/// As OmegaConf.select: none where a key is not there, a single value is in the way, or `???` is
/// found. Throws Error(kConfig) where an interpolation on the way fails.
std::optional<SelectedValue> select_value(const ConfigNode& root,
                                          const std::string& path,
                                          const ResolverContext& context = {});

/// The container, as written, that the interpolation `node` at `path` of `root` stands for; none if
/// it stands for no container or cannot be evaluated.
std::optional<ConfigNode> interpolated_container(const ConfigNode& root,
                                                 const ConfigNode& node,
                                                 const std::string& path);

/// Throws Error(kConfig), naming the origin, for what OmegaConf takes into no config: a `${...}`
/// that its grammar does not know, and a null key.
void check_values(const ConfigNode& tree);

}  // namespace kvscope
