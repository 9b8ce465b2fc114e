#include "core/text/tokenizers/pre_tokenizer.h"

#include <algorithm>
#include <utility>

#include "core/text/tokenizers/byte_level.h"

namespace kvscope {
namespace {

struct Segment {
  TextRange range;
  bool is_match = false;
};

// Matches and the gaps between them, in order; gaps are never empty.
std::vector<Segment> segments(const SplitStep& step, std::string_view text) {
  std::vector<Segment> list;
  size_t end = 0;
  for (const TextRange& match : step.pattern.find_all(text)) {
    if (end < match.begin) list.push_back({{end, match.begin}, step.invert});
    list.push_back({match, !step.invert});
    end = match.end;
  }
  if (end < text.size()) list.push_back({{end, text.size()}, step.invert});
  return list;
}

// A match joins the segment in front of it, unless that is a match too.
std::vector<Segment> merged_with_previous(const std::vector<Segment>& list) {
  std::vector<Segment> merged;
  bool after_match = false;
  for (const Segment& segment : list) {
    if (segment.is_match && !after_match && !merged.empty()) {
      merged.back().range.end = segment.range.end;
    } else {
      merged.push_back({segment.range, false});
    }
    after_match = segment.is_match;
  }
  return merged;
}

std::vector<Segment> merged_with_next(const std::vector<Segment>& list) {
  std::vector<Segment> merged;  // back to front
  bool before_match = false;
  for (auto segment = list.rbegin(); segment != list.rend(); ++segment) {
    if (segment->is_match && !before_match && !merged.empty()) {
      merged.back().range.begin = segment->range.begin;
    } else {
      merged.push_back({segment->range, false});
    }
    before_match = segment->is_match;
  }
  std::reverse(merged.begin(), merged.end());
  return merged;
}

std::vector<Segment> contiguous(const std::vector<Segment>& list) {
  std::vector<Segment> merged;
  for (const Segment& segment : list) {
    if (!merged.empty() && merged.back().is_match == segment.is_match) {
      merged.back().range.end = segment.range.end;
    } else {
      merged.push_back(segment);
    }
  }
  return merged;
}

std::vector<Segment> behaved(SplitBehavior behavior, std::vector<Segment> list) {
  switch (behavior) {
    case SplitBehavior::kRemoved:
      std::erase_if(list, [](const Segment& segment) { return segment.is_match; });
      return list;
    case SplitBehavior::kMergedWithPrevious:
      return merged_with_previous(list);
    case SplitBehavior::kMergedWithNext:
      return merged_with_next(list);
    case SplitBehavior::kContiguous:
      return contiguous(list);
    case SplitBehavior::kIsolated:
      break;
  }
  return list;
}

void apply(const SplitStep& step, TextPieces& pieces) {
  std::vector<TextRange> cut;
  for (const TextRange& piece : pieces.pieces) {
    for (const Segment& segment : behaved(step.behavior, segments(step, piece.of(pieces.text)))) {
      if (segment.range.empty()) continue;
      cut.push_back({piece.begin + segment.range.begin, piece.begin + segment.range.end});
    }
  }
  pieces.pieces = std::move(cut);
}

void add_prefix_spaces(TextPieces& pieces) {
  TextPieces spaced;
  for (const TextRange& piece : pieces.pieces) {
    const size_t begin = spaced.text.size();
    if (!piece.of(pieces.text).starts_with(' ')) spaced.text += ' ';
    spaced.text += piece.of(pieces.text);
    spaced.pieces.push_back({begin, spaced.text.size()});
  }
  pieces = std::move(spaced);
}

void apply(const ByteLevelStep& step, TextPieces& pieces) {
  if (step.add_prefix_space) add_prefix_spaces(pieces);
  if (step.pattern) apply(SplitStep{*step.pattern, SplitBehavior::kIsolated, false}, pieces);
  TextPieces written;
  for (const TextRange& piece : pieces.pieces) {
    const size_t begin = written.text.size();
    written.text += byte_level_text(piece.of(pieces.text));
    written.pieces.push_back({begin, written.text.size()});
  }
  pieces = std::move(written);
}

}  // namespace

TextPieces pre_tokenize(const PreTokenizer& steps, std::string_view text) {
  TextPieces pieces{std::string(text), {}};
  if (!text.empty()) pieces.pieces.push_back({0, text.size()});
  for (const auto& step : steps) {
    std::visit([&](const auto& kind) { apply(kind, pieces); }, step);
  }
  return pieces;
}

}  // namespace kvscope
