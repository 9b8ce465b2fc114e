#pragma once

#include <filesystem>
#include <string>

#include "core/config/yaml.h"

namespace kvscope {

/// The text of a config file, in UTF-8. Throws Error(kInput) when it cannot be read.
std::string read_yaml_file(const std::filesystem::path& file, const YamlLimits& limits = {});

/// The value of a scalar with the explicit tag !!int, !!float, !!bool or !!null, by PyYAML's rules.
/// Throws Error(kConfig) where its text is no such value, and for other tags.
ConfigNode parse_tagged_scalar(const std::string& tag, const std::string& text);

}  // namespace kvscope
