#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/base/error.h"
#include "experiments/judges/hpsv2_scores.h"
#include "experiments/judges/judge.h"
#include "experiments/judges/judge_json.h"
#include "experiments/judges/judge_text.h"
#include "experiments/judges/reader_rules.h"

namespace kvscope {
namespace {

constexpr std::array<const char*, 4> kStyles = {"anime", "concept-art", "paintings", "photo"};
constexpr int64_t kPromptsOfStyle = 800;

bool is_style(const std::string& name) {
  return std::ranges::find(kStyles, name) != kStyles.end();
}

PromptList read_prompts(const std::filesystem::path& path) {
  PromptList list;
  std::error_code unknown;
  for (const char* style : kStyles) {
    const std::string name = std::string(style) + ".json";
    const std::filesystem::path file =
        prompt_file(path, {name, "benchmark/" + name, "datasets/benchmark/" + name});
    if (!std::filesystem::is_directory(path, unknown)) {
      throw Error(ErrorKind::kInput,
                  fmt::format("--prompts {}: expected the folder of anime.json, concept-art.json, "
                              "paintings.json, photo.json",
                              path.string()));
    }
    list.files.push_back(file);
    std::vector<JudgePrompt> prompts = read_any_prompts(file).prompts;
    for (JudgePrompt& prompt : prompts) {
      prompt.group = style;
      prompt.key = fmt::format("{:05}", std::stoll(prompt.key));
      list.prompts.push_back(std::move(prompt));
    }
  }
  return list;
}

ExportPlan plan(const PlanRequest& request) {
  return plan_of_samples(request, true, [](const ExportedPrompt& prompt, int64_t /*sample*/) {
    return fmt::format("{}/{}.jpg", prompt.prompt.group, prompt.prompt.key);
  });
}

std::vector<FolderReading> read_folder(const ReadRequest& request) {
  const auto prompts_of = [&](const std::string& style) {
    if (!request.prompts) return kPromptsOfStyle;
    return static_cast<int64_t>(
        std::ranges::count(request.prompts->prompts, style, &JudgePrompt::group));
  };
  FolderReading reading = read_by("HPSv2", request.listing, [&](std::string_view place) {
    const auto parts = parts_of(place);
    return parts.size() == 2 && is_style(std::string(parts[0])) &&
           reader_rules::hpsv2_style(parts[1], prompts_of(std::string(parts[0])));
  });
  for (const std::string& folder : folders_of(request.listing)) {
    if (!is_style(folder))
      reading.stops.push_back({folder, "taken for a style that has no prompts"});
  }
  for (const std::string& file : request.listing.files) {
    if (file.find('/') == std::string::npos) {
      reading.stops.push_back({file, "taken for a style that has no prompts"});
    }
  }
  if (request.prompts) {
    for (const JudgePrompt& prompt : request.prompts->prompts) {
      const std::string place = fmt::format("{}/{}.jpg", prompt.group, prompt.key);
      if (std::ranges::binary_search(request.listing.files, place)) continue;
      reading.missing.push_back({place, "left out, and the chunks of 80 shift"});
    }
  }
  check_pictures(reading, request.listing);
  return {reading};
}

}  // namespace

Judge judge_hpsv2() {
  return {.name = "hpsv2",
          .title = "HPSv2",
          .repository = "tgxs002/HPSv2",
          .commit = "866735ecaae999fa714bd9edfa05aa2672669ee3",
          .summary = "STYLE/NNNNN.jpg of anime, concept-art, paintings, photo; JPEG alone",
          .prompt_files = "the folder of anime.json, concept-art.json, paintings.json, photo.json",
          .sample_choices = {1},
          .codec = "jpeg",
          .full_prompts = 4 * kPromptsOfStyle,
          .advice =
              "name the folder without a slash at its end, or the model has no name; v2.0 and "
              "v2.1, and torchvision before and from 0.17 on, give scores that do not compare",
          .read_prompts = read_prompts,
          .plan = plan,
          .read_folder = read_folder,
          .import = hpsv2_scores};
}

}  // namespace kvscope
