#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/base/error.h"
#include "experiments/judges/imagereward_prompts.h"
#include "experiments/judges/judge.h"
#include "experiments/judges/judge_text.h"

namespace kvscope {
namespace {

constexpr int64_t kSamples = 10;

std::string place_of(const ExportedPrompt& prompt, int64_t sample) {
  return fmt::format("{0}/{0}_{1}.jpg", prompt.prompt.key, sample);
}

ExportPlan plan(const PlanRequest& request) {
  ExportPlan plan = plan_of_samples(request, true, place_of);
  JudgeJson list = JudgeJson::array();
  for (const ExportedPrompt& prompt : request.prompts) {
    JudgeJson paths = JudgeJson::array();
    for (const int64_t sample : prompt.samples) {
      paths.push_back(request.folder + "/" + place_of(prompt, sample));
    }
    list.push_back(
        {{"id", prompt.prompt.key}, {"prompt", prompt.prompt.text}, {"gen_image_paths", paths}});
  }
  plan.texts.push_back({.place = "metadata.jsonl", .content = python_json(list)});
  return plan;
}

/// The place below the folder that a path of metadata.jsonl means: its last two parts.
std::string place_in(const std::string& path) {
  const size_t name = path.rfind('/');
  if (name == std::string::npos) return path;
  const size_t folder = name == 0 ? std::string::npos : path.rfind('/', name - 1);
  return folder == std::string::npos ? path : path.substr(folder + 1);
}

std::vector<FolderReading> read_folder(const ReadRequest& request) {
  FolderReading reading{.reader = "Infinity's ImageReward"};
  std::set<std::string> named = {"metadata.jsonl"};
  try {
    const JudgeJson list = parse_judge_json(
        judge_file_text(request.listing.root / "metadata.jsonl"), "metadata.jsonl");
    if (!list.is_array()) {
      throw Error(ErrorKind::kInput,
                  "metadata.jsonl: expected one JSON array, in spite of its name");
    }
    for (const JudgeJson& item : list) {
      const std::string id = text_member(item, "id", "metadata.jsonl");
      text_member(item, "prompt", "metadata.jsonl");
      const JudgeJson& paths = member_of(item, "gen_image_paths", "metadata.jsonl");
      if (paths.size() < 2) {
        reading.stops.push_back({id, "one sample: the script takes a number for a list"});
      }
      for (const JudgeJson& path : paths) {
        if (!path.is_string()) continue;
        const std::string place = place_in(path.get<std::string>());
        named.insert(place);
        if (std::ranges::binary_search(request.listing.files, place)) {
          reading.read.push_back(place);
        } else {
          reading.stops.push_back({place, "not there"});
        }
      }
    }
  } catch (const Error& error) {
    reading.stops.push_back({"metadata.jsonl", error.what()});
  }
  for (const std::string& file : request.listing.files) {
    if (!named.contains(file)) reading.skipped.push_back({file, "not in metadata.jsonl"});
  }
  check_pictures(reading, request.listing);
  return {reading};
}

JudgeScores import(const ImportRequest& request) {
  JudgeScores scores;
  for (const JudgeFile& file : request.files) {
    const std::string name = file.path.string();
    if (!trimmed(file.text).starts_with('{')) {
      refuse_result_file(file, "image_reward_res.json");
    }
    const JudgeJson json = parse_judge_json(file.text, name);
    for (const char* key : {"prompts", "images"}) {
      scores.totals[key] = static_cast<int64_t>(number_member(json, key, name));
    }
    for (const char* key : {"average_image_reward", "average_clip_scores"}) {
      scores.totals[key] = json_number(number_member(json, key, name));
    }
    scores.numbers.push_back({.label = "ImageReward",
                              .variant = "official",
                              .value = number_member(json, "average_image_reward", name),
                              .decimals = 4});
    scores.numbers.push_back({.label = "CLIP",
                              .variant = "official",
                              .value = number_member(json, "average_clip_scores", name),
                              .decimals = 4});
  }
  return scores;
}

}  // namespace

Judge judge_imagereward_infinity() {
  return {.name = "imagereward_infinity",
          .title = "Infinity's ImageReward",
          .repository = "FoundationVision/Infinity",
          .commit = "4c27bbb54a9918847a2fe56b0fbe31a8523791a1",
          .summary = "metadata.jsonl, ID/ID_K.jpg, ten samples a prompt",
          .prompt_files = "benchmark-prompts.json, or the judge's checkout",
          .samples = kSamples,
          .codec = "jpeg",
          .full_prompts = 100,
          .advice =
              "metadata.jsonl names the pictures by the path that --to was given: run the "
              "script from the same folder",
          .read_prompts = read_imagereward_prompts,
          .plan = plan,
          .read_folder = read_folder,
          .import = import};
}

}  // namespace kvscope
