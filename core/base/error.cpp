#include "core/base/error.h"

#include <algorithm>

#include "core/base/edit_distance.h"

namespace kvscope {

int Error::exit_code() const {
  switch (kind_) {
    case ErrorKind::kConfig:
      return 2;
    case ErrorKind::kInput:
    case ErrorKind::kEnvironment:
      return 3;
    case ErrorKind::kNumerics:
    case ErrorKind::kAudit:
      return 1;
  }
  return 1;
}

std::string nearest_name(const std::string& word, const std::vector<std::string>& known) {
  constexpr size_t kTypos = 2;
  return nearest_within(word, known, std::max(kTypos, word.size() / 3));
}

std::string suggestion(const std::string& word, const std::vector<std::string>& known) {
  std::string text;
  const std::string near = nearest_name(word, known);
  if (!near.empty()) text = "Did you mean '" + near + "'? ";
  std::vector<std::string> names;  // each once
  for (const std::string& name : known) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  text += "Known: ";
  for (size_t i = 0; i < names.size(); ++i) text += (i == 0 ? "" : ", ") + names[i];
  return text + ".";
}

}  // namespace kvscope
