#include <fmt/format.h>

#include "core/base/error.h"
#include "experiments/judges/geneval_scores.h"
#include "experiments/judges/judge.h"
#include "experiments/judges/judge_text.h"
#include "experiments/judges/reader_rules.h"

namespace kvscope {
namespace {

PromptList read_prompts(const std::filesystem::path& path) {
  const std::filesystem::path file =
      prompt_file(path, {"prompts/evaluation_metadata.jsonl", "evaluation_metadata.jsonl",
                         "evaluation/gen_eval/prompts/evaluation_metadata.jsonl"});
  PromptList list{.files = {file}};
  const std::string text = judge_file_text(file);
  for (const TextLine& line : lines_of(text)) {
    if (trimmed(line.text).empty()) continue;
    const std::string where = fmt::format("{}:{}", file.string(), line.number);
    const JudgeJson item = parse_judge_json(line.text, file.string(), line.number);
    list.prompts.push_back({.key = fmt::format("{:05}", list.prompts.size()),
                            .text = text_member(item, "prompt", where),
                            .group = text_member(item, "tag", where),
                            .verbatim = std::string(trimmed(line.text)),
                            .where = where});
  }
  return list;
}

ExportPlan plan(const PlanRequest& request) {
  ExportPlan plan =
      plan_of_samples(request, false, [](const ExportedPrompt& prompt, int64_t sample) {
        return fmt::format("{}/samples/{:05}.png", prompt.prompt.key, sample);
      });
  for (const ExportedPrompt& prompt : request.prompts) {
    plan.texts.push_back(
        {.place = prompt.prompt.key + "/metadata.jsonl", .content = prompt.prompt.verbatim + "\n"});
  }
  return plan;
}

/// Stops the judge: metadata.jsonl is read by json.load, which takes one value.
void check_metadata(FolderReading& reading,
                    const FolderListing& listing,
                    const std::string& place) {
  try {
    const std::string text = judge_file_text(listing.root / place);
    const JudgeJson value = parse_judge_json(text, place);
    member_of(value, "tag", place);
    member_of(value, "prompt", place);
    member_of(value, "include", place);
  } catch (const Error& error) {
    reading.stops.push_back({place, fmt::format("not exactly one JSON value: {}", error.what())});
  }
}

void check_against_prompts(FolderReading& reading, const ReadRequest& request) {
  if (!request.prompts) return;
  const int64_t samples = request.samples > 0 ? request.samples : 4;
  std::map<std::string, int64_t> images;  // by prompt
  for (const std::string& folder : folders_of(request.listing)) {
    if (!is_digits(folder)) continue;
    try {
      const std::string place = folder + "/metadata.jsonl";
      const JudgeJson value =
          parse_judge_json(judge_file_text(request.listing.root / place), place);
      images[text_member(value, "prompt", place)] += std::ranges::count_if(
          reading.read, [&](const std::string& file) { return file.starts_with(folder + "/"); });
    } catch (const Error&) {  // said as what stops the judge
    }
  }
  for (const JudgePrompt& prompt : request.prompts->prompts) {
    const int64_t found = images[prompt.text];
    if (found >= samples) continue;
    reading.missing.push_back({prompt.key, fmt::format("{} of {} samples", found, samples)});
  }
}

FolderReading read_as(const std::string& reader,
                      const ReadRequest& request,
                      bool (*takes)(std::string_view)) {
  FolderReading reading = read_by(reader, request.listing, [&](std::string_view place) {
    const auto parts = parts_of(place);
    return parts.size() == 3 && is_digits(parts[0]) && parts[1] == "samples" && takes(parts[2]);
  });
  std::error_code unknown;
  for (const std::string& folder : folders_of(request.listing)) {
    if (!is_digits(folder)) continue;
    const std::string metadata = folder + "/metadata.jsonl";
    std::erase_if(reading.skipped, [&](const FileRemark& file) { return file.place == metadata; });
    const std::filesystem::path path = request.listing.root / folder;
    if (!std::filesystem::is_regular_file(path / "metadata.jsonl", unknown)) {
      reading.stops.push_back({folder, "no metadata.jsonl in it: nothing is saved"});
    } else {
      check_metadata(reading, request.listing, metadata);
    }
    if (!std::filesystem::is_directory(path / "samples", unknown)) {
      reading.stops.push_back({folder, "no samples/ in it: nothing is saved"});
    }
  }
  check_pictures(reading, request.listing);
  check_against_prompts(reading, request);
  return reading;
}

}  // namespace

Judge judge_geneval() {
  return {.name = "geneval",
          .title = "GenEval",
          .repository = "djghosh13/geneval",
          .commit = "af4902f24d3ca90ebbb446dd9891a59e0f82725f",
          .summary = "NNNNN/metadata.jsonl and NNNNN/samples/NNNNN.png, four samples a prompt",
          .prompt_files = "evaluation_metadata.jsonl, or the judge's checkout",
          .samples = 4,
          .full_prompts = 553,
          .advice =
              "open_clip 2.29 and later build another network for its colours than 2.20, "
              "without a word: note the version",
          .read_prompts = read_prompts,
          .plan = plan,
          .read_folder =
              [](const ReadRequest& request) {
                return std::vector{
                    read_as("GenEval", request, reader_rules::geneval_sample),
                    read_as("Infinity's copy", request, reader_rules::geneval_infinity_sample)};
              },
          .import = geneval_scores};
}

}  // namespace kvscope
