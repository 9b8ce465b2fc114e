#include "core/config/declared_words.h"

#include <iterator>
#include <sstream>
#include <string_view>

namespace kvscope {

std::vector<std::string> declared_words(const OptionInfo& option) {
  if (option.accepts == "bool") return {"true", "false"};
  for (const std::string_view start : {"string, one of ", "string or list of strings, one of "}) {
    if (!option.accepts.starts_with(start)) continue;
    std::istringstream words(option.accepts.substr(start.size()));
    return {std::istream_iterator<std::string>(words), {}};
  }
  return {};
}

}  // namespace kvscope
