#include <fmt/format.h>

#include "core/base/error.h"
#include "experiments/judges/judge.h"
#include "experiments/judges/judge_text.h"
#include "experiments/judges/printed_values.h"
#include "experiments/judges/reader_rules.h"

namespace kvscope {
namespace {

ExportPlan plan(const PlanRequest& request) {
  const auto place = [](const ExportedPrompt& prompt) {
    return fmt::format("images/{:06}.png", prompt.index);
  };
  ExportPlan plan = plan_of_samples(
      request, false,
      [&](const ExportedPrompt& prompt, int64_t /*sample*/) { return place(prompt); });
  PlannedText captions{.place = "captions.txt"};
  PlannedText results{.place = "result.jsonl"};
  for (const ExportedPrompt& prompt : request.prompts) {
    if (prompt.samples.empty()) continue;
    // A line break in a caption would shift all later ones.
    captions.content += with_single_blanks(prompt.prompt.text) + "\n";
    results.content += python_json({{"text", prompt.prompt.text},
                                    {"image_path", request.folder + "/" + place(prompt)}}) +
                       "\n";
  }
  plan.texts = {captions, results};
  return plan;
}

std::vector<FolderReading> read_folder(const ReadRequest& request) {
  FolderReading reading = read_by("LlamaGen's CLIP", request.listing, [](std::string_view place) {
    const auto parts = parts_of(place);
    return parts.size() == 2 && parts[0] == "images" && reader_rules::llamagen_t2i(parts[1]);
  });
  reading.read = naturally_sorted(reading.read);
  std::erase_if(reading.skipped, [](const FileRemark& file) {
    return file.place == "captions.txt" || file.place == "result.jsonl";
  });
  try {
    const std::string text = judge_file_text(request.listing.root / "captions.txt");
    const size_t captions = lines_of(text).size();
    if (captions != reading.read.size()) {
      reading.misread.push_back({"captions.txt", fmt::format("{} captions for {} pictures",
                                                             captions, reading.read.size())});
    }
  } catch (const Error& error) {
    reading.stops.push_back({"captions.txt", error.what()});
  }
  check_pictures(reading, request.listing);
  return {reading};
}

JudgeScores import(const ImportRequest& request) {
  JudgeScores scores;
  for (const JudgeFile& file : request.files) {
    const auto clip = printed_value(file, "CLIP score");
    const auto fid = printed_value(file, "FID_256px");
    if (!clip && !fid)
      refuse_result_file(file, "score.txt: lines 'CLIP score: ...', 'FID_256px: ...'");
    if (clip) {
      scores.totals["clip_score"] = json_number(*clip);
      scores.numbers.push_back(
          {.label = "CLIP", .variant = "official", .value = *clip, .decimals = 4});
    }
    if (fid) {
      scores.totals["fid"] = json_number(*fid);
      scores.numbers.push_back(
          {.label = "FID 256", .variant = "official", .value = *fid, .higher_is_better = false});
    }
  }
  return scores;
}

}  // namespace

Judge judge_llamagen_t2i() {
  return {.name = "llamagen_t2i",
          .title = "LlamaGen's text-to-image scores",
          .repository = "FoundationVision/LlamaGen",
          .commit = "ce98ec41",
          .summary = "captions.txt, result.jsonl, images/NNNNNN.png",
          .prompt_files = "captions, a line each, or a .tsv; the point's own prompts without it",
          .needs_prompts = false,
          .sample_choices = {1},
          .full_prompts = 0,
          .read_prompts = read_any_prompts,
          .plan = plan,
          .read_folder = read_folder,
          .import = import};
}

}  // namespace kvscope
