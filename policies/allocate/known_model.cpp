#include "policies/allocate/known_model.h"

#include <fmt/core.h>

#include "core/base/error.h"

namespace kvscope {

KnownModel KnownModel::from_options(PartOptions& entry) {
  return {.layers = entry.integer("layers", 1, 1),
          .heads = entry.integer("heads", 1, 1),
          .head_dim = entry.integer("head_dim", 1, 1),
          .next_token =
              entry.word("steps", "next_token", {"next_token", "next_scale"}) == "next_token"};
}

bool KnownModel::fits(const CacheGeometry& geometry) const {
  const bool is_next_token =
      !geometry.steps.empty() && geometry.steps.front().kind == StepKind::kPrefill;
  return layers >= geometry.layers && heads == geometry.heads && head_dim == geometry.head_dim &&
         next_token == is_next_token;
}

void for_each_known_model(PartOptions& options,
                          const std::function<void(const KnownModel&, PartOptions&)>& read) {
  const ConfigNode* maps = options.value("maps");
  if (maps == nullptr || maps->is_null()) return;
  if (!maps->is_list()) {
    throw Error(ErrorKind::kConfig,
                fmt::format("{}: expected a list of {{name, layers, heads, head_dim, steps, ...}}",
                            options.place("maps")));
  }
  for (std::size_t i = 0; i < maps->size(); ++i) {
    PartOptions entry(fmt::format("{}.{}", maps->path(), i), maps->items()[i]);
    const KnownModel model = KnownModel::from_options(entry);
    read(model, entry);
    entry.finish();
  }
}

}  // namespace kvscope
