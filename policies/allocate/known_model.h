#pragma once

#include <cstdint>
#include <functional>

#include "core/engine/plan.h"
#include "policies/part_options.h"

namespace kvscope {

/// The model that a profile which ships with a policy was measured on, known by its shape.
struct KnownModel {
  int64_t layers = 1;
  int64_t heads = 1;
  int64_t head_dim = 1;
  bool next_token = true;

  /// {name: janus_pro_1b, layers: 24, heads: 16, head_dim: 128, steps: next_token | next_scale}
  static KnownModel from_options(PartOptions& entry);

  /// Whether the geometry is this model's, or this model's run with fewer layers.
  [[nodiscard]] bool fits(const CacheGeometry& geometry) const;
};

/// Calls `read` with every entry of option `maps`, a list of maps as above with keys of the part's
/// own; nothing where the option is absent. Throws Error(kConfig) where it is something else, or an
/// entry has keys that nobody asked for.
void for_each_known_model(PartOptions& options,
                          const std::function<void(const KnownModel&, PartOptions&)>& read);

}  // namespace kvscope
