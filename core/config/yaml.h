#pragma once

#include <filesystem>
#include <string>

#include "core/config/value.h"

namespace kvscope {

/// Limits that a configuration file has no business reaching.
struct YamlLimits {
  size_t file_bytes = size_t{8} << 20;
  size_t nodes = 200'000;  // counted after aliases are expanded
  int depth = 64;
};

/// Reads one YAML document as Hydra does: YAML 1.1 scalars as PyYAML types them, with OmegaConf's
/// floats (`1e-3` is a number); quoted scalars are strings; `<<` merges; an empty file is null.
/// Every value knows its file:line:column. Throws Error(kConfig), or Error(kInput) when the file
/// cannot be read, starting "file:line:column": repeated keys, tabs, explicit tags other than
/// !!str, second documents, text that is not UTF-8, anything beyond the limits.
ConfigNode load_yaml_file(const std::filesystem::path& file, const YamlLimits& limits = {});

/// The same for text in memory; `name` stands for the file in messages and origins.
ConfigNode load_yaml_text(const std::string& text,
                          const std::string& name,
                          const YamlLimits& limits = {});

/// Type and value of one plain (unquoted) YAML scalar.
ConfigNode parse_yaml_scalar(const std::string& text);

}  // namespace kvscope
