#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "experiments/judges/export_plan.h"
#include "experiments/judges/folder_reading.h"
#include "experiments/judges/judge_prompts.h"
#include "experiments/judges/judge_scores.h"

namespace kvscope {

/// As many samples of a prompt as a point has.
inline constexpr int64_t kAllSamples = 0;

/// A published judge: a program that somebody else runs on a folder of images. Which layout it
/// reads, which files of a folder it takes, and how its result files add up. A new judge is one
/// source, NAME.cpp with `Judge judge_NAME()`, and one line in judges.def.
/// Formats and faults were read in the code of `repository` at `commit`.
struct Judge {
  std::string name{};        ///< on command lines: "geneval"
  std::string title{};       ///< in tables: "GenEval"
  std::string repository{};  ///< owner/name
  std::string commit{};
  std::string summary{};  ///< what it reads, in a line
  std::string
      prompt_files{};         ///< what --prompts names: "evaluation_metadata.jsonl or its checkout"
  bool needs_prompts = true;  ///< otherwise the point's own prompts, in their order, will do
  int64_t samples = 1;        ///< of a prompt, unless asked otherwise; may be kAllSamples
  std::vector<int64_t> sample_choices{};  ///< numbers of samples that it takes; none: any
  bool needs_all_samples = false;         ///< a prompt that lacks one has no picture at all
  bool needs_base = false;                ///< reads pairs: the full cache's images as well
  bool names_model = false;               ///< the layout has a folder of the model's name
  bool is_archive = false;                ///< one file of all pictures, in an order
  std::string codec = "png";              ///< of single pictures
  int64_t full_prompts = 0;               ///< of the published list; 0: no fixed number
  std::string advice{};                   ///< what to mind when it is run; may be empty

  std::function<PromptList(const std::filesystem::path& path)> read_prompts{};
  std::function<ExportPlan(const PlanRequest& request)> plan{};
  /// What its readers make of a folder, without running it; one a reader.
  std::function<std::vector<FolderReading>(const ReadRequest& request)> read_folder{};
  /// Totals of its result files. Empty where it leaves none.
  std::function<JudgeScores(const ImportRequest& request)> import{};
};

/// All of judges.def, in its order.
const std::vector<Judge>& judges();
std::vector<std::string> judge_names();
/// Throws Error(kConfig) for a number of --samples below 1.
void require_samples(const std::optional<int64_t>& samples);
/// Throws Error(kConfig) with the nearest name.
const Judge& judge_named(const std::string& name);

}  // namespace kvscope
