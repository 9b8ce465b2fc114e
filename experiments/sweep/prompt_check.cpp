#include "experiments/sweep/prompt_check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/config/format.h"
#include "core/models/prompt_fit.h"

namespace kvscope {
namespace {

using FitOfText = std::map<std::string, PromptFit>;

/// Adds how the prompts of a point fit its model, each text once.
void add_fits(const Point& point, const std::string& root, FitOfText& fits) {
  std::vector<std::string> unknown;
  for (const Prompt& prompt : point.prompts) {
    if (fits.try_emplace(prompt.text).second) unknown.push_back(prompt.text);
  }
  if (unknown.empty()) return;
  const std::vector<PromptFit> found = fit_prompts(point.config.at("model"), root, unknown);
  for (size_t i = 0; i < unknown.size(); ++i) fits[unknown[i]] = found[i];
}

}  // namespace

void check_prompts(std::span<Point> points, const std::string& root) {
  std::map<std::string, FitOfText> fits_of_model;
  std::vector<std::string> problems;
  for (Point& point : points) {
    FitOfText& fits = fits_of_model[canonical_json(point.config.at("model"))];
    add_fits(point, root, fits);
    for (Prompt& prompt : point.prompts) {
      PromptFit& fit = fits[prompt.text];
      prompt.cut_tokens = fit.cut_tokens;
      if (fit.problem.empty()) continue;
      problems.push_back(fmt::format("{}: the prompt '{:.80}' {}", prompt.place, prompt.text,
                                     std::exchange(fit.problem, "")));  // said once
    }
  }
  if (problems.empty()) return;
  throw Error(ErrorKind::kConfig, fmt::format("{}", fmt::join(problems, "\n")));
}

}  // namespace kvscope
