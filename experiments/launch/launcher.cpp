#include "experiments/launch/launcher.h"

#include <utility>

#include "core/base/error.h"

namespace kvscope {

#define KVSCOPE_LAUNCHER(name, help) \
  std::unique_ptr<Launcher> make_##name##_launcher(LaunchPlace place);
#include "experiments/launch/launchers.def"
#undef KVSCOPE_LAUNCHER

namespace {

struct Entry {
  const char* name;
  const char* help;
  std::unique_ptr<Launcher> (*make)(LaunchPlace place);
};

constexpr Entry kLaunchers[] = {
#define KVSCOPE_LAUNCHER(name, help) {#name, help, make_##name##_launcher},
#include "experiments/launch/launchers.def"
#undef KVSCOPE_LAUNCHER
};

}  // namespace

std::vector<std::pair<std::string, std::string>> launcher_names() {
  std::vector<std::pair<std::string, std::string>> names;
  for (const Entry& entry : kLaunchers) names.emplace_back(entry.name, entry.help);
  return names;
}

std::unique_ptr<Launcher> make_launcher(const std::string& name, LaunchPlace place) {
  std::vector<std::string> known;
  for (const Entry& entry : kLaunchers) {
    if (name == entry.name) return entry.make(std::move(place));
    known.emplace_back(entry.name);
  }
  throw Error(ErrorKind::kConfig, "no launcher '" + name + "'. " + suggestion(name, known));
}

std::string launcher_name(const LaunchSettings& settings, int64_t workers) {
  const bool shares = workers > 1 || settings.options.slots.has_value();
  return settings.launcher.value_or(shares ? "processes" : "serial");
}

std::unique_ptr<Launcher> chosen_launcher(LaunchPlace place) {
  const std::string name = launcher_name(place.settings, place.workers);
  return make_launcher(name, std::move(place));
}

}  // namespace kvscope
