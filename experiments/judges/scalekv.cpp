#include <fmt/format.h>

#include "experiments/judges/judge.h"
#include "experiments/judges/judge_text.h"
#include "experiments/judges/pair_folders.h"
#include "experiments/judges/pair_scores.h"
#include "experiments/judges/printed_values.h"
#include "experiments/judges/reader_rules.h"

namespace kvscope {
namespace {

ExportPlan plan(const PlanRequest& request) {
  ExportPlan plan;
  for (const auto& [source, folder] :
       {std::pair(ImageSource::kBase, "gt_"), std::pair(ImageSource::kPoint, "scalekv_")}) {
    for (size_t i = 0; i < request.prompts.size(); ++i) {
      if (request.prompts[i].samples.empty()) continue;
      plan.pictures.push_back(
          {.place = fmt::format("{}{}/{:04}.png", folder, request.name, request.prompts[i].index),
           .tiles = {{.source = source, .prompt = i}}});
    }
  }
  return plan;
}

std::vector<FolderReading> read_folder(const ReadRequest& request) {
  const std::vector<std::string> folders = folders_of(request.listing);
  if (folders.size() != 2) {
    FolderReading reading{.reader = "ScaleKV's pairs"};
    reading.stops.push_back(
        {"", fmt::format("{} folders in it: expected two, of the full cache and of the compressed "
                         "one",
                         folders.size())});
    return {reading};
  }
  return {read_pairs("ScaleKV's pairs", request.listing, folders[0], folders[1],
                     PairedBy::kPosition, reader_rules::scalekv_pairs)};
}

JudgeScores import(const ImportRequest& request) {
  JudgeScores scores;
  for (const JudgeFile& file : request.files) {
    if (trimmed(file.text).starts_with('{')) {
      if (!add_pair_values(file, scores)) refuse_result_file(file, "values of single pairs");
      continue;
    }
    const auto psnr = printed_value(file, "PSNR");
    const auto lpips = printed_value(file, "LPIPS");
    const auto fid = printed_value(file, "FID");
    if (!psnr && !lpips) {  // a line of FID alone is of other programs
      refuse_result_file(file, "what compute_metrics.py prints: lines of PSNR, LPIPS, FID");
    }
    const auto add = [&](const char* key, const char* label, std::optional<double> value,
                         int decimals, bool higher) {
      if (!value) return;
      scores.totals[key] = json_number(*value);
      scores.numbers.push_back({.label = label,
                                .variant = "official",
                                .value = *value,
                                .decimals = decimals,
                                .higher_is_better = higher});
    };
    add("psnr", "PSNR", psnr, 2, true);
    add("lpips", "LPIPS", lpips, 4, false);
    add("fid", "FID", fid, 2, false);
  }
  return scores;
}

}  // namespace

Judge judge_scalekv() {
  return {.name = "scalekv",
          .title = "ScaleKV's pairs",
          .repository = "StargazerX0/ScaleKV",
          .commit = "eb0615a100fa8a3ae59aef122e2107ba528b1341",
          .summary = "gt_NAME/NNNN.png of the full cache, scalekv_NAME/NNNN.png of the point",
          .prompt_files = "captions, a line each; the point's own prompts without it",
          .needs_prompts = false,
          .sample_choices = {1},
          .needs_base = true,
          .names_model = true,
          .full_prompts = 5000,
          .advice = "compute_metrics.py --input_root0 gt_NAME --input_root1 scalekv_NAME",
          .read_prompts = read_any_prompts,
          .plan = plan,
          .read_folder = read_folder,
          .import = import};
}

}  // namespace kvscope
