#include "experiments/judges/pair_scores.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "core/base/error.h"

namespace kvscope {
namespace {

std::vector<double> list_of(const JudgeJson& json,
                            const std::string& key,
                            const std::string& name) {
  std::vector<double> values;
  if (!json.contains(key)) return values;
  const std::string where = fmt::format("{}: '{}'", name, key);
  if (!json[key].is_array() || json[key].empty()) {
    throw Error(ErrorKind::kInput, where + ": expected a list with a value a pair");
  }
  for (const JudgeJson& value : json[key]) {
    values.push_back(value == "inf" ? std::numeric_limits<double>::infinity()
                                    : number_of(value, where));
  }
  return values;
}

}  // namespace

double psnr_of_mse(double mse) {
  constexpr double kPeak = 255;
  return mse > 0 ? 10 * std::log10(kPeak * kPeak / mse) : std::numeric_limits<double>::infinity();
}

bool add_pair_values(const JudgeFile& file, JudgeScores& scores) {
  const std::string name = file.path.string();
  const JudgeJson json = parse_judge_json(file.text, name);
  if (!json.is_object()) return false;
  const std::vector<double> errors = list_of(json, "mse", name);
  std::vector<double> psnr = list_of(json, "psnr_each", name);
  std::vector<double> lpips = list_of(json, "lpips", name);
  if (lpips.empty()) lpips = list_of(json, "lpips_each", name);
  if (errors.empty() && psnr.empty() && lpips.empty()) return false;
  JudgeJson& totals = scores.totals;
  if (!errors.empty()) {
    psnr.clear();
    for (const double error : errors) psnr.push_back(psnr_of_mse(error));
    totals["psnr_of_mean_mse"] = json_number(psnr_of_mse(mean_of(errors)));
  }
  if (!psnr.empty()) {
    std::vector<double> finite;
    JudgeJson each = JudgeJson::array();
    for (const double value : psnr) {
      each.push_back(json_number(value));
      if (!std::isinf(value)) finite.push_back(value);
    }
    totals["psnr_each"] = each;
    totals["psnr_mean"] = json_number(mean_of(psnr));
    totals["identical_pairs"] = psnr.size() - finite.size();
    totals["psnr_mean_without_identical_pairs"] = json_number(mean_of(finite));
    scores.numbers.push_back({.label = "PSNR", .variant = "official", .value = mean_of(psnr)});
    if (finite.size() < psnr.size() && !finite.empty()) {
      scores.numbers.push_back({.label = "PSNR",
                                .variant = "corrected",
                                .value = mean_of(finite),
                                .fault = "identical pairs, whose PSNR is infinite, are left out"});
    }
  }
  if (!lpips.empty()) {
    totals["lpips_mean"] = json_number(mean_of(lpips));
    scores.numbers.push_back({.label = "LPIPS",
                              .variant = "official",
                              .value = mean_of(lpips),
                              .decimals = 4,
                              .higher_is_better = false});
  }
  return true;
}

}  // namespace kvscope
