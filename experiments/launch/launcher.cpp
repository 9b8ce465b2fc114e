#include "experiments/launch/launcher.h"

#include "core/base/error.h"

namespace kvscope {

#define KVSCOPE_LAUNCHER(name, help) \
  std::unique_ptr<Launcher> make_##name##_launcher(int64_t workers);
#include "experiments/launch/launchers.def"
#undef KVSCOPE_LAUNCHER

namespace {

struct Entry {
  const char* name;
  const char* help;
  std::unique_ptr<Launcher> (*make)(int64_t workers);
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

std::unique_ptr<Launcher> make_launcher(const std::string& name, int64_t workers) {
  std::vector<std::string> known;
  for (const Entry& entry : kLaunchers) {
    if (name == entry.name) return entry.make(workers);
    known.emplace_back(entry.name);
  }
  throw Error(ErrorKind::kConfig, "no launcher '" + name + "'. " + suggestion(name, known));
}

}  // namespace kvscope
