#include "policies/old_spellings.h"

#include <utility>

namespace kvscope {

std::string update_spelling(ConfigNode& policy) {
  const ConfigNode* score = policy.is_map() ? policy.child("score") : nullptr;
  if (score == nullptr) return {};
  const ConfigNode* name = score->is_map() ? score->child("name") : score;
  if (name == nullptr || !name->is_string()) return {};
  if (name->as_string() == "diagonal") {
    ConfigNode read = *score;
    policy.set("read", std::move(read));
    policy.set("score", "recency");
    return "policy.score=diagonal is spelt policy.read=diagonal now, beside policy.score=recency";
  }
  const ConfigNode* rotation = score->child("rotation");
  if (name->as_string() != "recency" || rotation == nullptr || !rotation->is_string()) return {};
  const std::string word = rotation->as_string();
  if (word != "keep" && word != "rerotate") return {};
  policy.child("score")->erase("rotation");
  if (word == "rerotate") policy.set("read", "in_cache_positions");
  return "policy.score.rotation is spelt policy.read now: all for keep, in_cache_positions for "
         "rerotate";
}

}  // namespace kvscope
