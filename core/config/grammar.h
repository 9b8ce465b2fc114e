#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/value.h"

namespace kvscope {

struct GrammarEntry;

/// A value of the override grammar with what is needed to write it back as it was typed.
struct GrammarValue {
  ConfigNode scalar;    // unless a list or map
  char quote = '\0';    // of a quoted string
  std::string literal;  // of a number, as typed
  ConfigKind kind = ConfigKind::kNull;
  std::vector<GrammarValue> items;
  std::vector<GrammarEntry> entries;

  [[nodiscard]] ConfigNode node() const;
  /// As Hydra writes it into a job's override: escapes restored, quotes kept.
  [[nodiscard]] std::string text() const;
};

/// A key of a mapping with what stands behind it.
struct GrammarEntry {
  GrammarValue key;
  GrammarValue value;
};

enum class SweepKind {
  kSimple,  // a,b
  kChoice,  // choice(a,b)
  kRange,   // range(a,b,c), written out
  kGlob,    // glob(patterns), needs the options of a group
};

struct GrammarSweep {
  SweepKind kind = SweepKind::kSimple;
  std::vector<GrammarValue> values;  // unless a glob
  std::vector<std::string> include;  // glob patterns
  std::vector<std::string> exclude;
};

/// What stands right of `=`: one value or a sweep.
struct GrammarResult {
  GrammarValue value;
  std::optional<GrammarSweep> sweep;
};

/// Where unquoted text may hold more than the command line allows.
struct GrammarRules {
  bool nested_interpolations = false;  // ${a.${b}}, as in resolver arguments
  bool any_character = false;          // é ~ & ; # ! < > ^
};

/// Parses the value of a Hydra override: typed scalars (1, 1.5, true, null), quoted strings,
/// escapes, [lists], {maps}, comma sweeps, and the functions choice, range, glob, sort, tag, int,
/// float, str, bool. Throws Error(kConfig) with the position in `text`; the caller names the
/// override.
GrammarResult parse_grammar_value(std::string_view text, const GrammarRules& rules = {});

/// As parse_grammar_value for one value; a sweep is an error.
ConfigNode parse_grammar_node(std::string_view text, const GrammarRules& rules = {});

/// Splits at commas outside quotes, brackets and braces.
std::vector<std::string> split_arguments(std::string_view text);

}  // namespace kvscope
