#include "policies/plugin.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <string>

#include "core/base/error.h"

namespace kvscope {
namespace {

[[noreturn]] void fail(const std::filesystem::path& library, const std::string& message) {
  throw Error(ErrorKind::kInput, fmt::format("plug-in {}: {}", library.string(), message));
}

template <class Function>
Function* symbol(void* handle, const char* name, const std::filesystem::path& library) {
  auto* found = reinterpret_cast<Function*>(dlsym(handle, name));
  if (found == nullptr) {
    fail(library, fmt::format("it defines no {}; a plug-in ends with KVSCOPE_PLUGIN "
                              "(policies/plugin.h)",
                              name));
  }
  return found;
}

}  // namespace

void load_plugin(const std::filesystem::path& library, ComponentRegistry& registry) {
  std::error_code failure;
  // An absolute path: dlopen searches system folders for a bare name.
  const std::filesystem::path path = std::filesystem::absolute(library, failure);
  if (failure || !std::filesystem::is_regular_file(path, failure)) {
    fail(library, "no such file");
  }
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr) fail(library, dlerror());
  const int interface = symbol<int()>(handle, "kvscope_plugin_interface", library)();
  if (interface != kPluginInterface) {
    fail(library, fmt::format("built for policy interface {}, this program has {}; build it again",
                              interface, kPluginInterface));
  }
  ComponentRegistry with_plugin = registry;  // all of its components or none
  with_plugin.from_library(library.string());
  symbol<void(ComponentRegistry&)>(handle, "kvscope_add_components", library)(with_plugin);
  registry = std::move(with_plugin);
}

}  // namespace kvscope
