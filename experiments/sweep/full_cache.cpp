#include "experiments/sweep/full_cache.h"

namespace kvscope {
namespace {

/// Whether what is kept stays as the model made it. A packed cache is none to compare with.
bool stores_as_is(const ConfigNode& policy) {
  const ConfigNode* store = policy.child("store");
  if (store == nullptr || store->is_null()) return true;
  const ConfigNode* name = store->is_map() ? store->child("name") : store;
  return name != nullptr && name->is_string() && name->as_string() == "as_is";
}

/// Whether a step attends to all that is kept, where it stood.
bool reads_everything(const ConfigNode& policy) {
  const ConfigNode* read = policy.child("read");
  if (read == nullptr || read->is_null()) return true;
  const ConfigNode* name = read->is_map() ? read->child("name") : read;
  return name != nullptr && name->is_string() && name->as_string() == "all";
}

}  // namespace

bool keeps_everything(const ConfigNode& policy) {
  const ConfigNode* allocate = policy.child("allocate");
  if (allocate == nullptr) return false;
  if (allocate->is_string()) return allocate->as_string() == "full";
  const ConfigNode* name = allocate->child("name");
  return name != nullptr && name->is_string() && name->as_string() == "full";
}

bool is_full_cache(const ConfigNode& policy) {
  return keeps_everything(policy) && stores_as_is(policy) && reads_everything(policy);
}

}  // namespace kvscope
