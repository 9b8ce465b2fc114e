#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "experiments/judges/export_plan.h"
#include "experiments/results/summary.h"

namespace kvscope {

/// Which point of a results folder is meant.
struct PointChoice {
  std::string point{};              ///< how its hash begins; empty: any
  std::vector<std::string> only{};  ///< "label=value", see points_with()
};

/// The one point that is meant. Throws Error(kConfig) where there is none or several, naming those
/// there are with what chooses each.
PointSummary chosen_point(const SweepSummary& sweep, const PointChoice& choice);

/// The full cache that `point` is paired with: of the same setting, with an image of the same
/// prompt and seed for every one of its images. `hash`: how its hash begins; empty: the only one.
/// Throws Error(kConfig) where there is none or several.
PointSummary base_point(const SweepSummary& sweep,
                        const PointSummary& point,
                        const std::string& hash);

/// Images of points by prompt of a judge's list.
struct MatchedImages {
  std::vector<ExportedPrompt> prompts{};  ///< all of the list; samples: those that have an image
  /// The row of (prompt, sample) of the point, and of the base.
  std::map<std::pair<size_t, int64_t>, const ImageRow*> rows{};
  std::map<std::pair<size_t, int64_t>, const ImageRow*> base_rows{};
  std::vector<std::string> missing{};  ///< in words, one a picture
  int64_t rewritten = 0;               ///< prompts whose images were made of the rewritten text
  std::vector<std::string> notes{};
};

/// Finds the first `samples` images of every prompt by its text, white space aside, or by what it
/// was rewritten to; a text that the list has twice takes two prompts of the point. Without a list
/// (`list.prompts` empty) the point's own prompts in the order of their numbers.
MatchedImages matched_images(const PointSummary& point,
                             const PointSummary* base,
                             const PromptList& list,
                             const std::map<std::string, std::string>& rewritten,
                             int64_t samples);

}  // namespace kvscope
