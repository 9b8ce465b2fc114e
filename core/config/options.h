#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "core/config/value.h"

namespace kvscope {

/// Whether a key is part of what tells two points of a sweep apart, their hash.
enum class Identity : uint8_t {
  kCounts,
  kUnlessDefault,  ///< only where it is not its default: keys that are younger than results
  kFormerly,       ///< no more: it changes no image, but was part of the hashes of older results
  kNone            ///< never: it changes no image
};

// What a reader says about a key. `key` is relative to the reader's group and may be dotted
// ("transformer.depth"); without a `default_value` the key must be given, or is null by default
// where the getter allows null; `default_from` says where a default comes from that is not always
// the same ("that of transformer.size").

struct IntegerKey {
  std::string key{};
  std::optional<int64_t> default_value{};
  int64_t min = std::numeric_limits<int64_t>::min();
  int64_t max = std::numeric_limits<int64_t>::max();
  std::string unit{};
  std::string help{};
  std::string default_from{};
  Identity identity = Identity::kCounts;
};

struct NumberKey {
  std::string key{};
  std::optional<double> default_value{};
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  std::string unit{};
  std::string help{};
  std::string default_from{};
  Identity identity = Identity::kCounts;
};

struct FlagKey {
  std::string key{};
  std::optional<bool> default_value{};
  std::string help{};
  std::string default_from{};
  Identity identity = Identity::kCounts;
};

struct WordKey {
  std::string key{};
  std::optional<std::string> default_value{};
  std::vector<std::string> allowed{};  ///< empty: any text
  std::string help{};
  std::string default_from{};
  Identity identity = Identity::kCounts;
};

struct NumbersKey {
  std::string key{};
  std::optional<std::vector<double>> default_value{};
  double min = -std::numeric_limits<double>::infinity();  ///< of each
  double max = std::numeric_limits<double>::infinity();
  std::string unit{};
  std::string help{};
  Identity identity = Identity::kCounts;
};

struct IntegersKey {
  std::string key{};
  std::optional<std::vector<int64_t>> default_value{};
  int64_t min = std::numeric_limits<int64_t>::min();  ///< of each
  int64_t max = std::numeric_limits<int64_t>::max();
  std::string unit{};
  std::string help{};
  std::string default_from{};
  Identity identity = Identity::kCounts;
};

struct WordsKey {
  std::string key{};
  std::optional<std::vector<std::string>> default_value{};
  std::vector<std::string> allowed{};
  std::string help{};
  Identity identity = Identity::kCounts;
};

/// A value that its reader checks itself.
struct ValueKey {
  std::string key{};
  std::string accepts{};  ///< "a list of layers, or the path of a file"
  std::optional<ConfigNode> default_value{};
  std::string unit{};
  std::string help{};
  Identity identity = Identity::kCounts;
  bool is_text = false;  ///< accepts free text, beside whatever else
};

/// A key as its reader declared it.
struct OptionInfo {
  std::string key{};      ///< "policy.score.window"
  std::string name{};     ///< "window", within its group
  std::string accepts{};  ///< "int, 1..31"
  std::string unit{};
  std::string help{};
  std::optional<ConfigNode> default_value{};
  std::string default_from{};
  bool nullable = false;
  bool is_text = false;  ///< accepts any text
  Identity identity = Identity::kCounts;
};

/// A key of a configuration that nothing reads, and what there is to say about it.
struct UnreadKey {
  std::string key{};      ///< "policy.score.windw"
  std::string finding{};  ///< "FILE:LINE:COLUMN: unknown key ..."
};

/// Where a key must be written to be found as one that nothing reads.
enum class WrittenIn : uint8_t { kAnywhere, kOverride };

/// "int, 1..31, tokens, default 5, or null": what a key may be.
std::string describe(const OptionInfo& option);

/// Reads one group of a configuration. Every getter declares its key, so that what is known, what
/// is shown and what is checked are the same; finish() refuses what no getter asked for. Refusals
/// are Error(kConfig) and say where, what was expected and what comes nearest:
/// "configs/policy/x.yaml:7:3: unknown key 'policy.score.windw'. Did you mean
/// 'policy.score.window'? (int, at least 1, default 16)".
class Options {
 public:
  /// Reads `node`, a mapping or null; `where` is its dotted place, "" for the root. `node` must
  /// outlive this. The first wrong value throws.
  Options(std::string where, const ConfigNode& node);
  /// Reads nothing: getters answer their defaults (empty or 0 where there is none), and asked()
  /// then lists what a reader knows.
  static Options describing(std::string where);
  /// As reading, but wrong values are collected for findings() instead of thrown.
  static Options checking(std::string where, const ConfigNode& node);

  [[nodiscard]] int64_t integer(const IntegerKey& key);
  [[nodiscard]] std::optional<int64_t> integer_or_null(const IntegerKey& key);
  /// No number where `word` is given, or by default where the key has no default number.
  [[nodiscard]] std::optional<int64_t> integer_or_word(const IntegerKey& key,
                                                       const std::string& word);
  /// A finite number within its range; an integer counts as one.
  [[nodiscard]] double number(const NumberKey& key);
  [[nodiscard]] std::optional<double> number_or_null(const NumberKey& key);
  [[nodiscard]] bool flag(const FlagKey& key);
  /// One of the allowed words, or any text where none are named.
  [[nodiscard]] std::string word(const WordKey& key);
  [[nodiscard]] std::optional<std::string> word_or_null(const WordKey& key);
  /// A number counts as a list of one.
  [[nodiscard]] std::vector<double> numbers(const NumbersKey& key);
  /// Likewise.
  [[nodiscard]] std::vector<int64_t> integers(const IntegersKey& key);
  /// A word counts as a list of one.
  [[nodiscard]] std::vector<std::string> words(const WordsKey& key);
  /// The value as given, with whatever is below it; a null pointer where absent.
  [[nodiscard]] const ConfigNode* value(const ValueKey& key);
  /// Says that a key which was asked for does not count here, as other keys decide: it is found as
  /// one that nothing reads, unless it is null or, for kOverride, stands in a file. `why` ends
  /// "'prompts.file' is not read: ".
  void unused(const std::string& key, const std::string& why, WrittenIn where);
  /// Groups that other readers read.
  void leave_to_others(std::initializer_list<std::string> groups);

  /// "policy.score.window": a key with the place of its group.
  [[nodiscard]] std::string whole(const std::string& key) const;
  /// "policy.score.window (configs/policy/snapkv.yaml:7:3)", for messages.
  [[nodiscard]] std::string place(const std::string& key) const;
  /// What was asked for so far, in that order.
  [[nodiscard]] const std::vector<OptionInfo>& asked() const { return asked_; }
  /// Says more about an unknown key, given with its whole dotted place; may answer "".
  using Elsewhere = std::function<std::string(const std::string& key)>;
  /// The keys that no getter asked for, and those that are unused().
  [[nodiscard]] std::vector<UnreadKey> unread(const Elsewhere& elsewhere = {}) const;
  /// Everything that is wrong: collected values, then what is unread().
  [[nodiscard]] std::vector<std::string> findings(const Elsewhere& elsewhere = {}) const;
  /// Throws Error(kConfig) with all findings, one per line.
  void finish(const Elsewhere& elsewhere = {}) const;

 private:
  enum class Mode : uint8_t { kReading, kChecking, kDescribing };
  Options(Mode mode, std::string where, const ConfigNode* node);

  /// Declares the option. Null where it is absent or of a type that `fits` does not accept.
  const ConfigNode* ask(OptionInfo option, bool (*fits)(const ConfigNode&));
  void complain(const ConfigNode* node, const std::string& what);
  template <class Number>
  bool in_range(const ConfigNode& node, const OptionInfo& option, Number min, Number max);
  bool is_allowed(const ConfigNode& node, const OptionInfo& option, const WordKey& key);
  void find_unknown(const ConfigNode& node,
                    const std::string& path,
                    const Elsewhere& elsewhere,
                    std::vector<UnreadKey>& unread) const;
  [[nodiscard]] std::string hint(const std::string& path, const Elsewhere& elsewhere) const;

  Mode mode_;
  std::string where_;
  const ConfigNode* node_;  // null where there is nothing to read
  struct Unused {
    std::string name;
    std::string why;
    WrittenIn where;
  };
  std::vector<OptionInfo> asked_;
  std::vector<Unused> unused_;
  std::vector<std::string> others_;
  std::vector<std::string> wrong_values_;
};

}  // namespace kvscope
