#include "policies/part_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "core/base/error.h"

namespace kvscope {
namespace {

std::string with_origin(const std::string& key, const ConfigNode& node) {
  const std::string origin = node.origin().text();
  return origin.empty() ? key : fmt::format("{} ({})", key, origin);
}

}  // namespace

PartOptions::PartOptions(std::string where, const ConfigNode& node)
    : where_(std::move(where)), node_(node) {
  const ConfigNode* name = node.is_map() ? node.child("name") : &node;
  if (name == nullptr || !name->is_string()) {
    throw Error(ErrorKind::kConfig,
                fmt::format("{}: expected the name of a part, as in '{{name: recency}}'",
                            with_origin(where_, node)));
  }
  part_ = name->as_string();
  known_.insert("name");
}

std::string PartOptions::place(const std::string& key) const {
  const std::string path = where_ + "." + key;
  const ConfigNode* given = node_.child(key);
  return given == nullptr ? path : with_origin(path, *given);
}

const ConfigNode* PartOptions::value(const std::string& key) {
  note(key, "", "");
  return node_.child(key);
}

void PartOptions::note(const std::string& key, std::string range, std::string standard) {
  if (!known_.insert(key).second) return;
  asked_.push_back({.key = key, .range = std::move(range), .standard = std::move(standard)});
}

int64_t PartOptions::integer(const std::string& key, int64_t standard, int64_t least) {
  note(key, fmt::format("integer >= {}", least), fmt::format("{}", standard));
  const ConfigNode* given = value(key);
  if (given == nullptr) {
    return standard;
  }
  const bool is_integer = given->kind() == ConfigKind::kInt;
  if (!is_integer || given->as_int64() < least) {
    throw Error(
        ErrorKind::kConfig,
        fmt::format("{}: '{}' needs an integer of at least {}{}; for example {}", place(key), part_,
                    least, is_integer ? fmt::format(", not {}", given->as_int64()) : "",
                    std::max(least, standard)));
  }
  return given->as_int64();
}

double PartOptions::number(const std::string& key, double standard, double least, double most) {
  note(key, fmt::format("{} .. {}", least, most), fmt::format("{:.6g}", standard));
  const ConfigNode* given = value(key);
  if (given == nullptr) {
    return standard;
  }
  const double number = given->as_double();
  if (!(number >= least && number <= most)) {
    throw Error(ErrorKind::kConfig,
                fmt::format("{}: '{}' needs a number from {} to {}, not {}; for example {}",
                            place(key), part_, least, most, number, standard));
  }
  return number;
}

std::string PartOptions::word(const std::string& key,
                              const std::string& standard,
                              const std::vector<std::string>& allowed) {
  note(key, fmt::format("{}", fmt::join(allowed, " | ")), standard);
  const ConfigNode* given = value(key);
  if (given == nullptr) {
    return standard;
  }
  const std::string& word = given->as_string();
  if (std::find(allowed.begin(), allowed.end(), word) == allowed.end()) {
    throw Error(ErrorKind::kConfig, fmt::format("{}: unknown value '{}'. {}", place(key), word,
                                                suggestion(word, allowed)));
  }
  return word;
}

void PartOptions::finish() const {
  if (!node_.is_map()) {
    return;
  }
  for (const ConfigEntry& entry : node_.entries()) {
    if (!known_.contains(entry.name)) {
      const std::vector<std::string> known(known_.begin(), known_.end());
      throw Error(ErrorKind::kConfig,
                  fmt::format("{}: '{}' has no option '{}'. {}", place(entry.name), part_,
                              entry.name, suggestion(entry.name, known)));
    }
  }
}

}  // namespace kvscope
