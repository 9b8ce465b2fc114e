#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/config/grammar.h"

namespace kvscope {

enum class OverrideKind {
  kChange,    // a.b=c, group=option
  kAdd,       // +a.b=c
  kForceAdd,  // ++a.b=c
  kDelete,    // ~a.b, ~a.b=c
};

/// One command-line override, parsed but not yet judged: whether `key` is a group is for compose().
struct Override {
  std::string input;  // as typed
  OverrideKind kind = OverrideKind::kChange;
  std::string key;                     // "a.b" or "group/sub"
  std::optional<std::string> package;  // of group@package
  std::optional<GrammarResult> value;  // none: ~key
  /// Of NAME=zip(key=sweep,...), a sweep of kind kZip whose key is no key but a name: the sweeps
  /// that go in step. Ours; Hydra's grammar has no zip(..).
  std::vector<Override> zipped;

  /// "+a@b": key with package and prefix, as Hydra keys its sweep axes.
  [[nodiscard]] std::string key_element() const;
  /// "group@package" without the prefix.
  [[nodiscard]] std::string group_key() const;
  [[nodiscard]] bool is_sweep() const { return value && value->sweep; }
  /// The value as a tree whose origin is this override; null without a value.
  [[nodiscard]] ConfigNode node() const;
};

/// Throws Error(kConfig) naming the override and what is wrong with it.
Override parse_override(const std::string& input);
/// "a=b" as "a='b'": the override of a text.
std::string as_quoted_text(const std::string& input);
std::vector<Override> parse_overrides(const std::vector<std::string>& inputs);

}  // namespace kvscope
