#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/text/pattern.h"

namespace kvscope {

/// What becomes of the matches of a split; the gaps between them always stay pieces.
enum class SplitBehavior {
  kRemoved,
  kIsolated,            ///< every match a piece
  kMergedWithPrevious,  ///< a match ends the piece before it
  kMergedWithNext,      ///< a match begins the piece behind it
  kContiguous,          ///< neighbouring matches are one piece
};

/// Cuts every piece where `pattern` matches; with `invert`, where it does not.
struct SplitStep {
  Pattern pattern;
  SplitBehavior behavior = SplitBehavior::kIsolated;
  bool invert = false;
};

/// Writes bytes as characters (byte_level.h), after a cut at `pattern` where there is one.
struct ByteLevelStep {
  bool add_prefix_space = false;  ///< in front of every piece that has none
  std::optional<Pattern> pattern{};
};

/// A `pre_tokenizer`: the steps in order, each applied to every piece that the former one left.
using PreTokenizer = std::vector<std::variant<SplitStep, ByteLevelStep>>;

/// A text and its pieces, in order, none empty.
struct TextPieces {
  std::string text;
  std::vector<TextRange> pieces;
};

/// `text` must be valid UTF-8. Throws Error(kInput) where a pattern takes too many steps.
TextPieces pre_tokenize(const PreTokenizer& steps, std::string_view text);

}  // namespace kvscope
