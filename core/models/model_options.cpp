#include "core/models/model_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/models/model_family.h"

namespace kvscope {
namespace {

/// "model.family=infinity has no such key; llamagen has": where other families have it.
std::string families_with(const std::string& key, const std::string& own) {
  std::vector<std::string> names;
  for (const NamedFamily& known : named_families()) {
    Options options = Options::describing("model");
    known.family.ask(options);
    const auto is_it = [&](const OptionInfo& option) { return option.key == key; };
    if (std::ranges::any_of(options.asked(), is_it)) names.push_back(known.name);
  }
  if (names.empty()) return "";
  return fmt::format("Models of the family {} have none; those of {} do.", own,
                     fmt::join(names, " and "));
}

}  // namespace

std::vector<std::string> model_families() {
  std::vector<std::string> names;
  for (const NamedFamily& known : named_families()) names.push_back(known.name);
  return names;
}

void ask_model_keys(const std::string& family, Options& options) {
  static_cast<void>(options.word({.key = "family",
                                  .allowed = model_families(),
                                  .help = "kind of model, which its other keys belong to"}));
  model_family_of(family, options.place("family")).ask(options);
}

std::vector<std::string> model_findings(const ConfigNode& model) {
  const std::string& family = model.at("family").as_string();
  Options options = Options::checking("model", model);
  ask_model_keys(family, options);
  return options.findings([&](const std::string& key) { return families_with(key, family); });
}

std::vector<UnreadKey> unread_model_keys(const ConfigNode& model) {
  const std::string& family = model.at("family").as_string();
  Options options = Options::checking("model", model);
  ask_model_keys(family, options);
  return options.unread([&](const std::string& key) { return families_with(key, family); });
}

}  // namespace kvscope
