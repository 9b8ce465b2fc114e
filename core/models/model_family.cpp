#include "core/models/model_family.h"

#include "core/base/error.h"
#include "core/models/model_options.h"

namespace kvscope {

#define KVSCOPE_MODEL_FAMILY(name) ModelFamily family_##name();
#include "core/models/families.def"
#undef KVSCOPE_MODEL_FAMILY

std::span<const NamedFamily> named_families() {
  static const std::vector<NamedFamily> all = {
#define KVSCOPE_MODEL_FAMILY(name) {#name, family_##name()},
#include "core/models/families.def"
#undef KVSCOPE_MODEL_FAMILY
  };
  return all;
}

const ModelFamily& model_family_of(const std::string& name, const std::string& origin) {
  for (const NamedFamily& known : named_families()) {
    if (name == known.name) return known.family;
  }
  throw Error(ErrorKind::kConfig, origin + ": unknown model.family '" + name + "'. " +
                                      suggestion(name, model_families()));
}

}  // namespace kvscope
