#include "experiments/sweep/number_spelling.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "experiments/sweep/run_keys.h"

namespace kvscope {
namespace {

bool is_number(const ConfigNode& node) {
  return node.kind() == ConfigKind::kInt || node.kind() == ConfigKind::kFloat;
}

/// A list of one number is that number.
const ConfigNode& single(const ConfigNode& node) {
  const bool is_one = node.is_list() && node.size() == 1 && is_number(node.items().front());
  return is_one ? node.items().front() : node;
}

enum class Spelling : uint8_t { kFloat, kWhole };

/// Floats whose policies were published with a whole number: results have hashes over those.
bool is_published_whole(const std::string& component, const std::string& name) {
  constexpr std::pair<std::string_view, std::string_view> kKeys[] = {
      {"pyramid", "beta"}, {"scale_fifo", "ratio"}, {"cake", "gamma"}};
  return std::ranges::find(kKeys, std::pair<std::string_view, std::string_view>(component, name)) !=
         std::end(kKeys);
}

ConfigNode spelt(const ConfigNode& number, Spelling spelling) {
  constexpr double kExact = 9007199254740992.0;  // 2^53: beyond it floats skip integers
  const double value = number.as_double();
  const bool as_integer =
      spelling == Spelling::kWhole && std::abs(value) < kExact && value == std::trunc(value);
  ConfigNode node = as_integer ? ConfigNode(static_cast<int64_t>(value))
                               : ConfigNode(value == 0 ? 0.0 : value);  // -0.0 is 0.0
  node.set_origin(number.origin());
  return node;
}

/// Puts `value` in the place of `node`, written where that was.
void replace(ConfigNode& node, ConfigNode value) {
  const std::string path = node.path();
  value.set_origin(node.origin());
  node = std::move(value);
  node.label_paths(path);
}

/// As declared: the text of `accepts` is how a key says what it takes.
void settle(ConfigNode& config, const OptionInfo& option, Spelling spelling) {
  const bool takes_floats = option.accepts.starts_with("number or list of numbers");
  const bool is_float = takes_floats || option.accepts.starts_with("float");
  const bool takes_list = takes_floats || option.accepts.starts_with("int or list of ints");
  if (!is_float && !takes_list) return;
  ConfigNode* node = config.find(option.key);
  if (node == nullptr) return;
  if (takes_list && is_number(single(*node))) {
    ConfigNode number = single(*node);
    replace(*node, std::move(number));
  }
  if (!is_float) return;
  if (is_number(*node)) replace(*node, spelt(*node, spelling));
  if (!takes_floats || !node->is_list()) return;
  for (ConfigNode& item : node->items()) {
    if (is_number(item)) replace(item, spelt(item, spelling));
  }
}

bool is_equal_number(const ConfigNode& a, const ConfigNode& b) {
  if (!is_number(a) || !is_number(b)) return false;
  // As integers where both are: floats skip some.
  return a.kind() == b.kind() && a.kind() == ConfigKind::kInt ? a.as_int64() == b.as_int64()
                                                              : a.as_double() == b.as_double();
}

}  // namespace

void settle_numbers(ConfigNode& config, const ComponentRegistry& components) {
  const ConfigNode* family = config.find("model.family");
  for (const RunKey& key : run_keys()) {
    const bool is_read = key.readers.empty() ||
                         (family != nullptr && family->is_string() &&
                          std::ranges::find(key.readers, family->as_string()) != key.readers.end());
    if (is_read) settle(config, key.option, Spelling::kFloat);
  }
  for (const ChosenComponent& chosen : chosen_components(config.at("policy"), components)) {
    for (const OptionInfo& option : chosen.options) {
      const bool is_whole = is_published_whole(chosen.info.name, option.name);
      settle(config, option, is_whole ? Spelling::kWhole : Spelling::kFloat);
    }
  }
}

void take_spelling(ConfigNode& config, const ConfigNode& other) {
  if (is_equal_number(single(config), single(other))) {
    replace(config, other);
    return;
  }
  if (config.is_map() && other.is_map()) {
    for (ConfigEntry& entry : config.entries()) {
      if (const ConfigNode* same = other.child(entry.name)) take_spelling(entry.value, *same);
    }
  }
  if (!config.is_list() || !other.is_list() || config.size() != other.size()) return;
  for (size_t i = 0; i < config.size(); ++i) take_spelling(config.items()[i], other.items()[i]);
}

}  // namespace kvscope
