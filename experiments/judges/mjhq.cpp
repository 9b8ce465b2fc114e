#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"
#include "experiments/judges/judge.h"
#include "experiments/judges/judge_text.h"
#include "experiments/judges/printed_values.h"
#include "experiments/judges/reader_rules.h"

namespace kvscope {
namespace {

PromptList read_prompts(const std::filesystem::path& path) {
  const std::filesystem::path file = prompt_file(path, {"meta_data.json"});
  const JudgeJson json = parse_judge_json(judge_file_text(file), file.string());
  if (!json.is_object()) {
    throw Error(ErrorKind::kInput, file.string() + ": expected {ID: {category, prompt}}");
  }
  PromptList list{.files = {file}};
  for (const auto& [id, item] : json.items()) {
    const std::string where = fmt::format("{}: '{}'", file.string(), id);
    list.prompts.push_back({.key = id,
                            .text = text_member(item, "prompt", where),
                            .group = text_member(item, "category", where),
                            .where = where});
  }
  return list;
}

ExportPlan plan(const PlanRequest& request) {
  return plan_of_samples(request, false, [](const ExportedPrompt& prompt, int64_t /*sample*/) {
    return fmt::format("{}/{}.png", prompt.prompt.group, prompt.prompt.key);
  });
}

std::vector<FolderReading> read_folder(const ReadRequest& request) {
  std::vector<FolderReading> readings = {
      read_by("clean-fid", request.listing, reader_rules::clean_fid),
      read_by("FastVAR's CLIP walk", request.listing, reader_rules::fastvar_clip_walk)};
  for (FolderReading& reading : readings) check_pictures(reading, request.listing);
  readings[1].notes.emplace_back(
      "FastVAR's script takes FID of the folder people alone: that is no MJHQ-30K number");
  if (!request.prompts) return readings;
  std::map<std::string, const JudgePrompt*> prompt_of;
  for (const JudgePrompt& prompt : request.prompts->prompts) prompt_of[prompt.key] = &prompt;
  for (const std::string& file : readings[1].read) {
    const std::string_view name = name_of_place(file);
    const std::string id(name.substr(0, name.rfind('.')));
    const auto found = prompt_of.find(id);
    if (found == prompt_of.end()) {
      readings[1].misread.push_back({file, "its name is no ID: reported, and left out"});
      continue;
    }
    if (parts_of(file).front() != found->second->group) {
      readings[0].misread.push_back({file, "of the category " + found->second->group});
    }
    prompt_of.erase(found);
  }
  for (const auto& [id, prompt] : prompt_of) {
    readings[1].missing.push_back(
        {fmt::format("{}/{}.png", prompt->group, id), "left out of the mean"});
  }
  return readings;
}

/// The names of MJHQ-30K's pictures: 40 hex digits.
bool is_picture_id(const std::string& id) {
  constexpr size_t kDigits = 40;
  return id.size() == kDigits && id.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// Cosines of single pictures, {ID: cosine}, by category.
void add_cosines(const JudgeFile& file, const ImportRequest& request, JudgeScores& scores) {
  const std::string name = file.path.string();
  const JudgeJson json = parse_judge_json(file.text, name);
  std::vector<double> all;
  std::map<std::string, double> cosine_of;
  for (const auto& [id, value] : json.items()) {
    if (!is_picture_id(id)) refuse_result_file(file, "{ID: cosine} of pictures of MJHQ-30K");
    if (value.is_null()) continue;
    all.push_back(number_of(value, fmt::format("{}: '{}'", name, id)));
    cosine_of[id] = all.back();
  }
  if (all.empty()) refuse_result_file(file, "{ID: cosine}");
  scores.totals["average_clip_score"] = mean_of(all);
  scores.numbers.push_back(
      {.label = "CLIP", .variant = "official", .value = mean_of(all), .decimals = 4});
  if (!request.prompts) {
    scores.notes.emplace_back("by category with --prompts meta_data.json");
    return;
  }
  std::map<std::string, std::vector<double>> by_category;
  std::vector<std::string> missing;
  JudgeJson people = JudgeJson::array();
  for (const JudgePrompt& prompt : request.prompts->prompts) {
    if (prompt.group == "people") people.push_back(prompt.key);
    const auto found = cosine_of.find(prompt.key);
    if (found == cosine_of.end()) {
      missing.push_back(prompt.key);
    } else {
      by_category[prompt.group].push_back(found->second);
    }
  }
  for (const auto& [category, cosines] : by_category) {
    scores.totals["per_category"][category] = mean_of(cosines);
  }
  scores.totals["people_only"] = people;
  scores.totals["missing"] = missing;
  if (!missing.empty()) {
    scores.notes.push_back(fmt::format("{} of {} pictures have no score: {}", missing.size(),
                                       request.prompts->prompts.size(), first_few(missing)));
  }
}

JudgeScores import(const ImportRequest& request) {
  JudgeScores scores;
  for (const JudgeFile& file : request.files) {
    if (trimmed(file.text).starts_with('{')) {
      add_cosines(file, request, scores);
      continue;
    }
    const auto fid = printed_value(file, "FID score");
    const auto clip = printed_value(file, "Average CLIP Score");
    if (!fid && !clip) {
      refuse_result_file(file,
                         "lines 'FID score:7.1' and 'Average CLIP Score: 0.28', or "
                         "{ID: cosine}");
    }
    if (fid) {
      scores.totals["fid"] = json_number(*fid);
      scores.numbers.push_back(
          {.label = "MJHQ FID", .variant = "official", .value = *fid, .higher_is_better = false});
      scores.notes.emplace_back(
          "FastVAR's and HART's scripts take FID of the category people alone, which is no "
          "MJHQ-30K number");
    }
    if (clip) {
      scores.totals["average_printed_by_fastvar"] = json_number(*clip);
      scores.numbers.push_back(
          {.label = "MJHQ CLIP", .variant = "official", .value = *clip, .decimals = 4});
    }
  }
  return scores;
}

}  // namespace

Judge judge_mjhq() {
  return {.name = "mjhq",
          .title = "MJHQ-30K",
          .repository = "csguoh/FastVAR",
          .commit = "34cdd651b8db80d20148e39fdbd78c15accd4c45",
          .summary = "CATEGORY/ID.png of ten categories",
          .prompt_files = "meta_data.json, or the folder that has it",
          .sample_choices = {1},
          .full_prompts = 30000,
          .read_prompts = read_prompts,
          .plan = plan,
          .read_folder = read_folder,
          .import = import};
}

}  // namespace kvscope
