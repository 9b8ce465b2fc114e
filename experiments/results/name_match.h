#pragma once

#include <string>
#include <vector>

namespace kvscope {

/// What was named where, for messages: "--highlight", "policy".
struct NameOption {
  std::string option{};
  std::string what{};
};

/// As names are compared.
std::string without_spaces(std::string text);

/// The one of `names` that is meant by `text`: itself, or else the only one that begins with it;
/// spaces do not count. Throws Error(kConfig) where there is none, with the nearest, or several.
std::string meant_name(const NameOption& where,
                       const std::string& text,
                       const std::vector<std::string>& names);

/// The names meant by `text`, "a,b,c": as names may have commas themselves ("snapkv, window 8"), as
/// few pieces as each mean one. Throws as meant_name() does of the first piece that means none.
std::vector<std::string> meant_names(const NameOption& where,
                                     const std::string& text,
                                     const std::vector<std::string>& names);

}  // namespace kvscope
