#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "experiments/judges/judge.h"
#include "experiments/results/summary.h"

namespace kvscope {

/// How a judge's pictures were made: settings of the point, and what the export adds.
using JudgeRecipe = std::vector<std::pair<std::string, std::string>>;

/// What the judge's own part of a recipe is.
struct RecipeAdditions {
  int64_t samples = 1;
  int64_t prompts = 0;
  int64_t missing = 0;    ///< pictures that were left out
  int64_t rewritten = 0;  ///< prompts whose images were made of a rewritten text
  std::string prompts_sha256{};
  std::string codec{};  ///< "PNG", "JPEG 95"
};

/// cfg, tau, top-k, top-p, size, seed rule, samples, prompts, codec.
JudgeRecipe judge_recipe(const PointSummary& point,
                         const std::string& size,
                         const RecipeAdditions& additions);

/// What an export is, as the file beside it says: OUT.card.json.
struct JudgeCard {
  std::string judge{};
  std::string point_hash{};  ///< 64 hex digits
  JudgeRecipe recipe{};
};

std::filesystem::path card_path(const std::filesystem::path& out);

/// Throws Error(kInput) for what is no card.
JudgeCard read_judge_card(const std::filesystem::path& file);

/// Seconds since 1970 as "2026-05-01T12:00:00Z".
std::string utc_time(int64_t unix_seconds);

}  // namespace kvscope
