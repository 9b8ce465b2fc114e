#pragma once

#include <filesystem>

#include "policies/registry.h"

namespace kvscope {

/// What a plug-in must have been built for: components exchange C++ objects with the program, so
/// both must come from the same headers. Raised whenever the policy interface changes.
inline constexpr int kPluginInterface = 3;

/// Adds the components of a shared library to `registry`. The library defines, by KVSCOPE_PLUGIN
/// (below),
///   int kvscope_plugin_interface();
///   void kvscope_add_components(kvscope::ComponentRegistry& registry);
/// It stays loaded until the program ends. Loading executes its code: a path comes from the command
/// line alone, never from a configuration. Throws Error(kInput) naming the library and what is
/// wrong with it, Error(kConfig) where a component's name is taken.
void load_plugin(const std::filesystem::path& library, ComponentRegistry& registry);

}  // namespace kvscope

/// Defines what load_plugin() looks for; followed by the body that adds components to `registry`:
///   KVSCOPE_PLUGIN(registry) {
///     registry.add({.name = "loudest", .summary = "the largest values"}, make_score_loudest);
///   }
#define KVSCOPE_PLUGIN(registry)              \
  extern "C" int kvscope_plugin_interface() { \
    return kvscope::kPluginInterface;         \
  }                                           \
  extern "C" void kvscope_add_components(kvscope::ComponentRegistry&(registry))
