#include <fmt/format.h>

#include <set>

#include "experiments/judges/dpg_questions.h"
#include "experiments/judges/dpg_scores.h"
#include "experiments/judges/judge.h"
#include "experiments/judges/judge_text.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kTiles = 4;

PromptList read_table(const fs::path& file) {
  PromptList list{.files = {file}};
  for (const DpgItem& item : read_dpg_items(judge_file_text(file), file.string())) {
    list.prompts.push_back({.key = item.key,
                            .text = item.text,
                            .where = fmt::format("{}: '{}'", file.string(), item.key)});
  }
  return list;
}

PromptList read_texts(const fs::path& folder) {
  PromptList list{.files = {folder}};
  for (const std::string& name : FolderListing::of(folder).files) {
    if (name.find('/') != std::string::npos || !name.ends_with(".txt")) continue;
    const fs::path file = folder / name;
    list.prompts.push_back({.key = name.substr(0, name.size() - 4),
                            .text = std::string(trimmed(judge_file_text(file))),
                            .where = file.string()});
  }
  return list;
}

/// Of the checkout, of its folder of prompts, or of the table of questions.
PromptList read_prompts(const fs::path& path) {
  std::error_code unknown;
  if (fs::is_regular_file(path, unknown)) return read_table(path);
  for (const char* below : {"dpg_bench/prompts", "prompts"}) {
    if (fs::is_directory(path / below, unknown)) return read_texts(path / below);
  }
  if (fs::is_regular_file(path / "dpg_bench.csv", unknown))
    return read_table(path / "dpg_bench.csv");
  return read_texts(path);
}

ExportPlan plan(const PlanRequest& request) {
  ExportPlan plan;
  for (size_t i = 0; i < request.prompts.size(); ++i) {
    PlannedPicture picture{.place = request.prompts[i].prompt.key + ".png"};
    for (const int64_t sample : request.prompts[i].samples) {
      picture.tiles.push_back({.prompt = i, .sample = sample});
    }
    plan.pictures.push_back(std::move(picture));
  }
  return plan;
}

/// Tiles that are off by the border of a grid: sides of 2 R + 6 with R a multiple of 8.
bool may_have_borders(int64_t side) {
  constexpr int64_t kBorders = 6;
  constexpr int64_t kMultiple = 16;
  return side % kMultiple != 0 && (side - kBorders) % kMultiple == 0;
}

std::vector<FolderReading> read_folder(const ReadRequest& request) {
  FolderReading reading = read_by("DPG-Bench", request.listing, [](std::string_view place) {
    return place.find('/') == std::string_view::npos;
  });
  for (FileRemark& file : reading.skipped) file.why = "in a folder of its own";
  check_pictures(reading, request.listing);
  for (FileRemark& file : reading.misread) file.why += ": fails, and is left out of the mean";
  std::set<std::string> keys;
  for (const std::string& file : reading.read) {
    const std::string key = file.substr(0, file.find('.'));
    if (!keys.insert(key).second) reading.misread.push_back({file, "a second picture of " + key});
    const auto pixels = picture_size(request.listing.root / file);
    if (pixels && may_have_borders(pixels->width)) {
      reading.misread.push_back(
          {file, fmt::format("{} x {} pixels: tiles with a border between them? Tiles are cut at "
                             "exactly half",
                             pixels->width, pixels->height)});
    }
  }
  if (request.prompts) {
    for (const JudgePrompt& prompt : request.prompts->prompts) {
      const bool is_there = keys.erase(prompt.key) > 0;
      if (!is_there) reading.missing.push_back({prompt.key, "left out of the mean"});
    }
    for (const std::string& key : keys) {
      reading.misread.push_back({key, "no such item: fails, and is left out of the mean"});
    }
  }
  // Of the published table, and of folders of prompts, which do not say its order.
  std::string first = "partiprompts97";
  if (request.prompts && !request.prompts->files.empty() &&
      request.prompts->files.front().extension() == ".csv") {
    first = request.prompts->prompts.front().key;
  }
  reading.notes.push_back(
      fmt::format("the judge drops the first row of its table: the first item ({}) loses a "
                  "question, or fails. kvscope import dpg says what that comes to",
                  first));
  return {reading};
}

}  // namespace

Judge judge_dpg() {
  return {.name = "dpg",
          .title = "DPG-Bench",
          .repository = "TencentQQGYLab/ELLA",
          .commit = "3c228f1dc6c4d3cad0a47493816151a419f14db3",
          .summary = "ITEM.png, four samples as 2 x 2 tiles without a border",
          .prompt_files = "dpg_bench.csv, the folder dpg_bench/prompts, or the judge's checkout",
          .samples = kTiles,
          .sample_choices = {1, kTiles},
          .needs_all_samples = true,
          .full_prompts = 1065,
          .advice =
              "give --resolution the side of one tile and --res-path a name that ends in .txt "
              "outside of this folder, where it would be taken for a picture; use one process, "
              "or the categories are scrambled",
          .read_prompts = read_prompts,
          .plan = plan,
          .read_folder = read_folder,
          .import = dpg_scores};
}

}  // namespace kvscope
