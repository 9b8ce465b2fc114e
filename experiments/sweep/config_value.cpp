#include "experiments/sweep/config_value.h"

namespace kvscope {

void set_config_value(ConfigNode& config, const std::string& path, const ConfigNode* value) {
  const size_t dot = path.find('.');
  ConfigNode* group = config.child(path.substr(0, dot));
  if (group == nullptr) return;
  const std::string key = path.substr(dot + 1);
  if (value == nullptr) {
    group->erase(key);
  } else {
    group->set(key, *value);
  }
}

}  // namespace kvscope
