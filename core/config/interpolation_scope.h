#pragma once

#include <string>
#include <vector>

#include "core/config/interpolation.h"
#include "core/config/placed_node.h"

namespace kvscope {

/// How absent and missing values are met on the way to what is looked for.
struct SelectRules {
  bool refuse_missing = false;  // `???` is an error, not what was looked for
};

/// What resolvers are given: they look values up and evaluate text where their interpolation
/// stands.
class InterpolationScope {
 public:
  virtual ~InterpolationScope() = default;

  /// What `path` leads to, followed through interpolations: from the root of the container's tree,
  /// or with leading dots from the container. Null pointer where the last key, or one before it, is
  /// not there. Throws NotAContainer where a single value stands in the way, and Error(kConfig)
  /// where an interpolation on the way fails.
  virtual Placed select(const Placed& container,
                        const std::string& path,
                        const SelectRules& rules) = 0;
  /// The value of an element's text, evaluated in `container`.
  virtual ConfigNode evaluate_element(const std::string& text, const Placed& container) = 0;

  /// The tree below a place with every interpolation in it replaced.
  virtual ConfigNode resolved(const Placed& place) = 0;

  [[nodiscard]] virtual const ResolverContext& context() const = 0;
};

/// Calls the resolver `name`, as OmegaConf and Hydra do; the interpolation is the value `key` of
/// `container`. Throws Error(kConfig): unknown resolver (nearest named), wrong arguments, what the
/// resolver itself refuses.
Placed call_resolver(InterpolationScope& scope,
                     const std::string& name,
                     const std::vector<Placed>& arguments,
                     const Placed& container,
                     const std::string& key);

}  // namespace kvscope
