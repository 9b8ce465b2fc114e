#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/config/value.h"

namespace kvscope {

enum class KeyType {
  kBool,
  kInt,
  kFloat,  // an integer is accepted
  kString,
  kList,          // of anything
  kNumberOrList,  // a number or a list of numbers (cfg per scale)
  kOpen,          // anything, with whatever is below it
};

/// One known key of the configuration: what it means and what it may be.
struct KeySpec {
  std::string key;  // dotted; "*" stands for any single name ("metrics.*")
  KeyType type = KeyType::kString;
  std::string help;
  std::string unit = "";                  // "tokens", "bytes", "1/s"
  std::optional<double> minimum = {};     // inclusive; for lists, of each number
  std::optional<double> maximum = {};     // inclusive
  std::vector<std::string> allowed = {};  // of strings, or of each string of a list; empty = any
  std::string default_text = "";          // for help; "" = none
  bool nullable = false;
  bool is_volatile = false;  // does not enter the point hash (paths, log level, launcher)
};

using ConfigSchema = std::vector<KeySpec>;

/// One finding, complete: "configs/policy/x.yaml:7:3: unknown key 'a.b'. Did you mean 'a.c'
/// (int, 1..31)?" Empty when the whole config is known, of the right types and in range. Missing
/// values (`???`) are findings. Keys of the schema that the config lacks are not.
std::vector<std::string> schema_findings(const ConfigNode& config, const ConfigSchema& schema);

/// Throws Error(kConfig) with all findings, one a line.
void validate(const ConfigNode& config, const ConfigSchema& schema);

/// "int, 1..31, default 5, tokens": one spec as help and messages print it.
std::string describe(const KeySpec& spec);

/// The keys that the schema marks volatile, for point_hash.
std::vector<std::string> volatile_keys(const ConfigSchema& schema);

}  // namespace kvscope
