#include "core/config/hash.h"

#include "core/base/sha256.h"
#include "core/config/format.h"

namespace kvscope {
namespace {

void erase_path(ConfigNode& node, std::string_view path) {
  const size_t dot = path.find('.');
  const std::string_view key = path.substr(0, dot);
  if (!node.is_map()) return;
  if (dot == path.npos) {
    if (key == "*") {
      node.entries().clear();
    } else {
      node.erase(key);
    }
    return;
  }
  for (ConfigEntry& entry : node.entries()) {
    if (key == "*" || entry.name == key) erase_path(entry.value, path.substr(dot + 1));
  }
}

}  // namespace

std::string point_digest(const ConfigNode& config,
                         const std::vector<std::string>& volatile_keys,
                         const std::vector<std::pair<std::string, std::string>>& digests) {
  ConfigNode lasting = config;
  for (const std::string& key : volatile_keys) erase_path(lasting, key);
  ConfigNode digest_map = ConfigNode::map();
  for (const auto& [name, text] : digests) digest_map.set(name, text);
  ConfigNode all = ConfigNode::map();
  all.set("config", std::move(lasting));
  all.set("digests", std::move(digest_map));
  return sha256_hex(canonical_json(all));
}

std::string short_hash(const std::string& hash) {
  return hash.substr(0, 12);
}

std::string point_hash(const ConfigNode& config,
                       const std::vector<std::string>& volatile_keys,
                       const std::vector<std::pair<std::string, std::string>>& digests) {
  return short_hash(point_digest(config, volatile_keys, digests));
}

}  // namespace kvscope
