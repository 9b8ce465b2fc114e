#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/value.h"

namespace kvscope {

struct GrammarEntry;
struct GrammarSweep;

/// A value of the override grammar with what is needed to write it back as it was typed.
struct GrammarValue {
  ConfigNode scalar;  // unless a list or map
  char quote = '\0';  // of a quoted string
  ConfigKind kind = ConfigKind::kNull;
  std::vector<GrammarValue> items;
  std::vector<GrammarEntry> entries;
  /// A sweep where a value belongs, as in [choice(a,b)]: can be shown, but neither be written back
  /// nor become a value.
  std::shared_ptr<const GrammarSweep> sweep;

  /// Throws Error(kConfig) where a sweep is in it.
  [[nodiscard]] ConfigNode node() const;
  /// As Hydra writes it into a job's override: escapes restored, quotes kept. Throws as node().
  [[nodiscard]] std::string text() const;
};

/// A key of a mapping with what stands behind it.
struct GrammarEntry {
  GrammarValue key;
  GrammarValue value;
};

enum class SweepKind : uint8_t {
  kSimple,    // a,b
  kChoice,    // choice(a,b)
  kRange,     // range(a,b,c), written out
  kInterval,  // interval(a,b), which no grid can enumerate
  kGlob,      // glob(patterns), needs the options of a group, or the words of a key
  kZip,       // zip(key=sweep,...), see override.h; it is no value of the grammar
};

struct GrammarSweep {
  SweepKind kind = SweepKind::kSimple;
  std::vector<GrammarValue> values;  // unless a glob or an interval; before they are shuffled
  bool shuffle = false;
  std::vector<std::string> include;  // glob patterns
  std::vector<std::string> exclude;
  ConfigNode start;  // of a range or an interval
  ConfigNode stop;
  ConfigNode step;
  std::vector<std::string> tags;  // sorted
};

/// What stands right of `=`: one value or a sweep.
struct GrammarResult {
  GrammarValue value;
  std::optional<GrammarSweep> sweep;
};

/// Parses the value of a Hydra override by Hydra's own grammar: typed scalars (1, 1.5, true, null),
/// quoted strings, escapes, [lists], {maps}, comma sweeps, and the functions of
/// grammar_function.h. Throws Error(kConfig) with the position in `text`; the caller names the
/// override.
GrammarResult parse_grammar_value(std::string_view text);

/// The values of a sweep in the order of its points: as they stand, or shuffled. The same `seed`
/// text gives the same order on every machine.
std::vector<GrammarValue> sweep_values(const GrammarSweep& sweep, std::string_view seed);

}  // namespace kvscope
