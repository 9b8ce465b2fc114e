#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "core/config/value.h"

namespace kvscope {

/// One option that a part asked for, as `kvscope describe policy/NAME` explains it.
struct OptionInfo {
  std::string key{};
  std::string range{};     ///< "integer >= 1", "0 .. 1", "average | maximum"; empty: see the part
  std::string standard{};  ///< its default
};

/// Reads the options of one part from `{name: part, option: value, ...}`, or from the bare name.
/// Each getter names a key and its default; finish() then refuses whatever nobody asked for. Every
/// refusal is an Error(kConfig) that says where, what was expected and what comes nearest.
class PartOptions {
 public:
  /// `where` is the key of the slot, such as "policy.score". Throws where no name is given.
  PartOptions(std::string where, const ConfigNode& node);

  [[nodiscard]] const std::string& part() const { return part_; }
  [[nodiscard]] int64_t integer(const std::string& key, int64_t standard, int64_t least);
  /// A finite number in [least, most].
  [[nodiscard]] double number(const std::string& key, double standard, double least, double most);
  /// One word of `allowed`.
  [[nodiscard]] std::string word(const std::string& key,
                                 const std::string& standard,
                                 const std::vector<std::string>& allowed);
  /// The value as given, for options of more than one type; null where absent.
  [[nodiscard]] const ConfigNode* value(const std::string& key);
  /// "policy.score.window (configs/policy/snapkv.yaml:7:3)", for messages.
  [[nodiscard]] std::string place(const std::string& key) const;
  /// Throws Error(kConfig) for the first option that no getter asked for.
  void finish() const;
  /// What was asked for so far, in that order.
  [[nodiscard]] const std::vector<OptionInfo>& asked() const { return asked_; }

 private:
  std::string where_;
  const ConfigNode& node_;
  std::string part_;
  void note(const std::string& key, std::string range, std::string standard);

  std::set<std::string> known_;
  std::vector<OptionInfo> asked_;
};

}  // namespace kvscope
