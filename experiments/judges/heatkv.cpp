#include <fmt/format.h>

#include "core/base/error.h"
#include "experiments/judges/judge.h"
#include "experiments/judges/judge_text.h"
#include "experiments/judges/pair_folders.h"
#include "experiments/judges/pair_scores.h"
#include "experiments/judges/reader_rules.h"

namespace kvscope {
namespace {

ExportPlan plan(const PlanRequest& request) {
  ExportPlan plan;
  PlannedText prompts{.place = "prompts.jsonl"};
  for (const ExportedPrompt& prompt : request.prompts) {
    if (prompt.samples.empty()) continue;
    prompts.content += python_json({{"index", prompt.index},
                                    {"seed", prompt.seeds.front()},
                                    {"prompt", prompt.prompt.text}}) +
                       "\n";
  }
  plan.texts.push_back(std::move(prompts));
  for (const auto& [source, folder] :
       {std::pair(ImageSource::kBase, "base"), std::pair(ImageSource::kPoint, "heatkv")}) {
    for (size_t i = 0; i < request.prompts.size(); ++i) {
      if (request.prompts[i].samples.empty()) continue;
      plan.pictures.push_back(
          {.place = fmt::format("{}/{:06}.png", folder, request.prompts[i].index),
           .tiles = {{.source = source, .prompt = i}}});
    }
  }
  return plan;
}

std::vector<FolderReading> read_folder(const ReadRequest& request) {
  FolderReading reading = read_pairs("HeatKV's pairs", request.listing, "base", "heatkv",
                                     PairedBy::kName, reader_rules::heatkv_pairs);
  int64_t lines = -1;
  try {
    const std::string text = judge_file_text(request.listing.root / "prompts.jsonl");
    lines = 0;
    for (const TextLine& line : lines_of(text)) {
      if (trimmed(line.text).empty()) continue;
      const JudgeJson item = parse_judge_json(line.text, "prompts.jsonl", line.number);
      text_member(item, "prompt", fmt::format("prompts.jsonl:{}", line.number));
      ++lines;
    }
  } catch (const Error& error) {
    reading.stops.push_back({"prompts.jsonl", error.what()});
  }
  const std::string folder = request.listing.root.string();
  if (lines >= 0 && 2 * lines != std::ssize(reading.read)) {
    reading.misread.push_back(
        {"prompts.jsonl", fmt::format("{} prompts for {} pictures", lines, reading.read.size())});
  }
  reading.notes.emplace_back(
      "the script keeps prompts and pictures that are there, whatever data set, seed or budget "
      "made "
      "them: start each budget in a folder of its own");
  return {reading};
}

JudgeScores import(const ImportRequest& request) {
  JudgeScores scores;
  for (const JudgeFile& file : request.files) {
    const std::string name = file.path.string();
    const JudgeJson json = parse_judge_json(file.text, name);
    if (!json.is_object() || !json.contains("paired_images")) {
      if (!add_pair_values(file, scores)) refuse_result_file(file, "metrics.json");
      continue;
    }
    for (const char* key : {"psnr", "lpips", "fid", "paired_images", "count_requested"}) {
      scores.totals[key] = json_number(number_member(json, key, name));
    }
    const auto add = [&](const char* key, const char* label, int decimals, bool higher) {
      scores.numbers.push_back({.label = label,
                                .variant = "official",
                                .value = number_member(json, key, name),
                                .decimals = decimals,
                                .higher_is_better = higher});
    };
    add("psnr", "PSNR", 2, true);
    add("lpips", "LPIPS", 4, false);
    add("fid", "FID", 2, false);
    const double paired = number_member(json, "paired_images", name);
    const double asked = number_member(json, "count_requested", name);
    if (paired != asked) {
      scores.notes.push_back(
          fmt::format("{} of {} pairs were there; the rest is in no mean", paired, asked));
    }
  }
  return scores;
}

}  // namespace

Judge judge_heatkv() {
  return {.name = "heatkv",
          .title = "HeatKV's pairs",
          .repository = "arm-research/heatkv",
          .commit = "96dc288f0a7098ec21f2726ad18090aab2f7e8b7",
          .summary = "prompts.jsonl, base/NNNNNN.png of the full cache, heatkv/NNNNNN.png",
          .prompt_files = "captions, a line each; the point's own prompts without it",
          .needs_prompts = false,
          .sample_choices = {1},
          .needs_base = true,
          .full_prompts = 5000,
          .read_prompts = read_any_prompts,
          .plan = plan,
          .read_folder = read_folder,
          .import = import};
}

}  // namespace kvscope
