#include "analysis/attention/attention_record.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analysis/attention/former_names.h"
#include "core/base/error.h"

namespace kvscope {

const NamedArray& AttentionRecord::array(const std::string& name) const {
  const auto found = arrays.find(name);
  if (found != arrays.end()) return found->second;
  std::vector<std::string> known;
  for (const auto& [other, values] : arrays) known.push_back(other);
  const std::string today = name_since_version_3(name);
  throw Error(
      ErrorKind::kInput,
      fmt::format(
          "the record holds no '{}'. {} It is recorded by: kvscope attention record "
          "--statistics {}",
          name,
          today != name ? fmt::format("It is called '{}' now.", today) : suggestion(name, known),
          today));
}

}  // namespace kvscope
