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

ExportPlan plan(const PlanRequest& request) {
  return plan_of_samples(request, false, [&](const ExportedPrompt& prompt, int64_t sample) {
    return fmt::format("{}/{}_{}.png", request.name, prompt.prompt.key, sample);
  });
}

/// The judge takes floor(files / prompts) samples a prompt and looks for ID_0.png, ID_1.png, ...
FolderReading read_model(const std::string& model, const ReadRequest& request) {
  FolderReading reading{.reader = "ImageReward, " + model};
  const FolderListing below = listing_below(request.listing, model);
  std::set<std::string> ids;
  if (request.prompts) {
    for (const JudgePrompt& prompt : request.prompts->prompts) ids.insert(prompt.key);
  } else {
    for (const std::string& file : below.files) ids.insert(file.substr(0, file.rfind('_')));
  }
  const int64_t samples = ids.empty() ? 0 : std::ssize(below.files) / std::ssize(ids);
  std::set<std::string> taken;
  for (const std::string& id : ids) {
    for (int64_t sample = 0; sample < samples; ++sample) {
      const std::string file = fmt::format("{}_{}.png", id, sample);
      const std::string place = model + "/" + file;
      if (std::ranges::binary_search(below.files, file)) {
        taken.insert(file);
        reading.read.push_back(place);
      } else if (sample == 0) {
        reading.stops.push_back({place, "not there: the run ends"});
      } else {
        reading.missing.push_back({place, "not there: the picture before it is scored again"});
      }
    }
  }
  for (const std::string& file : below.files) {
    if (!taken.contains(file))
      reading.skipped.push_back({model + "/" + file, "no ID_K.png of a prompt"});
  }
  if (samples * std::ssize(ids) != std::ssize(below.files)) {
    reading.notes.push_back(fmt::format("{} files for {} prompts: {} samples of each are scored",
                                        below.files.size(), ids.size(), samples));
  }
  check_pictures(reading, request.listing);
  return reading;
}

std::vector<FolderReading> read_folder(const ReadRequest& request) {
  std::vector<FolderReading> readings;
  for (const std::string& model : folders_of(request.listing)) {
    readings.push_back(read_model(model, request));
  }
  if (readings.empty()) {
    readings.push_back({.reader = "ImageReward"});
    readings.back().stops.push_back({"", "no folder of a model in it"});
  }
  for (const std::string& file : request.listing.files) {
    if (file.find('/') == std::string::npos) {
      readings.front().skipped.push_back({file, "in no model's folder"});
    }
  }
  return readings;
}

/// "ImageReward-v1.0-benchmark-MODEL-result.json"
std::string model_of(const JudgeFile& file) {
  std::string name = file.path.filename().string();
  constexpr std::string_view kBefore = "benchmark-";
  constexpr std::string_view kBehind = "-result.json";
  const size_t begin = name.find(kBefore);
  if (begin == std::string::npos || !name.ends_with(kBehind)) return file.path.stem().string();
  name = name.substr(begin + kBefore.size());
  return name.substr(0, name.size() - kBehind.size());
}

struct Repeats {
  JudgeJson list = JudgeJson::array();
  std::vector<std::string> pictures;
};

/// A model's rewards, prompt by prompt: the official score, and without rewards that repeat the one
/// before to the last digit.
void add_rewards(const JudgeFile& file, const JudgeJson& json, JudgeScores& scores) {
  std::vector<double> official;
  std::vector<double> corrected;
  Repeats repeats;
  size_t most = 0;
  for (const JudgeJson& item : json) {
    const std::string where = fmt::format("{}: item {}", file.path.string(), official.size());
    const std::string id = text_member(item, "id", where);
    if (item.contains("prompt")) scores.prompts.insert(text_member(item, "prompt", where));
    const JudgeJson& rewards = member_of(item, "rewards", where);
    if (!rewards.is_array() || rewards.empty()) {
      throw Error(ErrorKind::kInput, where + ": 'rewards': expected a list of numbers");
    }
    std::vector<double> all;
    std::vector<double> own;
    JudgeJson repeated = JudgeJson::array();
    for (const JudgeJson& value : rewards) {
      const double reward = number_of(value, where);
      if (!all.empty() && all.back() == reward) {
        repeated.push_back(all.size());
        repeats.pictures.push_back(fmt::format("{}_{}.png", id, all.size()));
      } else {
        own.push_back(reward);
      }
      all.push_back(reward);
    }
    if (!repeated.empty()) {
      repeats.list.push_back({{"prompt", id}, {"rewards", rewards}, {"missing", repeated}});
    }
    most = std::max(most, all.size());
    official.push_back(mean_of(all));
    corrected.push_back(mean_of(own));
  }
  const std::string model = model_of(file);
  scores.totals["official"][model] = json_number(mean_of(official));
  scores.totals["images_per_prompt"] = most;
  if (repeats.pictures.empty()) return;
  scores.totals["corrected"][model] = json_number(mean_of(corrected));
  scores.totals["silent_repeat"] = repeats.list;
  scores.notes.push_back(fmt::format(
      "{}: {} rewards repeat the one before, as those of pictures that are missing do: {}", model,
      repeats.pictures.size(), first_few(repeats.pictures)));
}

/// "|       full | 0.6086  |"
void add_table(const JudgeFile& file, JudgeScores& scores) {
  bool any = false;
  for (const TextLine& line : lines_of(file.text)) {
    const std::string_view text = trimmed(line.text);
    const size_t middle = text.find('|', 1);
    if (!text.starts_with('|') || !text.ends_with('|') || middle + 1 >= text.size()) continue;
    const auto value = number_text(text.substr(middle + 1, text.size() - middle - 2));
    if (!value) continue;
    any = true;
    const std::string model(trimmed(text.substr(1, middle - 1)));
    if (!scores.totals["official"].contains(model)) scores.totals["official"][model] = *value;
  }
  if (!any) refuse_result_file(file, "ImageReward-v1.0-benchmark-*.json, or the table it prints");
}

JudgeScores import(const ImportRequest& request) {
  JudgeScores scores;
  scores.totals["official"] = JudgeJson::object();
  for (const JudgeFile& file : request.files) {
    const std::string_view text = trimmed(file.text);
    if (text.starts_with('[')) {
      const JudgeJson json = parse_judge_json(file.text, file.path.string());
      if (json.empty()) refuse_result_file(file, "a list with an entry a prompt");
      add_rewards(file, json, scores);
    } else if (text.starts_with('{')) {
      const JudgeJson models = parse_judge_json(file.text, file.path.string());
      // Infinity's copy writes counts and means under names of its own.
      if (models.contains("average_image_reward")) {
        refuse_result_file(file, "ImageReward-v1.0-benchmark-results.json, {MODEL: score}");
      }
      for (const auto& [model, value] : models.items()) {
        const double score = number_of(value, fmt::format("{}: '{}'", file.path.string(), model));
        if (!scores.totals["official"].contains(model)) {
          scores.totals["official"][model] = json_number(score);
        }
      }
    } else {
      add_table(file, scores);
    }
  }
  const JudgeJson& official = scores.totals["official"];
  const bool several = official.size() > 1;
  for (const auto& [model, value] : official.items()) {
    const std::string label = several ? "ImageReward " + model : "ImageReward";
    scores.numbers.push_back(
        {.label = label, .variant = "official", .value = number_of(value, model), .decimals = 4});
    if (!scores.totals.contains("corrected")) continue;
    const JudgeJson& corrected = scores.totals["corrected"];
    if (!corrected.contains(model)) continue;
    scores.numbers.push_back({.label = label,
                              .variant = "corrected",
                              .value = number_of(corrected[model], model),
                              .decimals = 4,
                              .fault = "rewards of pictures that were missing, which repeat the "
                                       "one before, are left out"});
  }
  return scores;
}

}  // namespace

Judge judge_imagereward() {
  return {.name = "imagereward",
          .title = "ImageReward",
          .repository = "THUDM/ImageReward",
          .commit = "c1392c6dd0fd6ecd6d416c96959ab744a6d0a8fb",
          .summary = "NAME/ID_K.png, ten samples a prompt",
          .prompt_files = "benchmark-prompts.json, or the judge's checkout",
          .samples = kSamples,
          .names_model = true,
          .full_prompts = 100,
          .read_prompts = read_imagereward_prompts,
          .plan = plan,
          .read_folder = read_folder,
          .import = import};
}

}  // namespace kvscope
