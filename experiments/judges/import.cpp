#include "experiments/judges/import.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/base/mapped_file.h"
#include "core/base/sha256.h"
#include "core/base/shell_word.h"
#include "experiments/judges/export.h"
#include "experiments/judges/judge_card.h"
#include "experiments/judges/judge_text.h"
#include "experiments/results/judge_numbers.h"
#include "experiments/results/read_sweep.h"
#include "experiments/version.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

std::string digest_of(const fs::path& file) {
  const MappedFile mapped(file);
  Sha256 digest;
  digest.update(mapped.data(), static_cast<size_t>(mapped.size_bytes()));
  return digest.hex_digest();
}

bool is_read_by(const Judge& judge, const JudgeFile& file) {
  try {
    return judge.import && !judge.import({.files = {file}}).numbers.empty();
  } catch (const Error&) {
    return false;
  }
}

/// Where a judge does not know one of the files but another does: whose it is. Archives, which only
/// two judges have, are not read twice.
std::string owners(const Judge& judge, const std::vector<JudgeFile>& files) {
  for (const JudgeFile& file : files) {
    if (file.is_archive() || is_read_by(judge, file)) continue;
    for (const Judge& other : judges()) {
      if (other.name == judge.name || !is_read_by(other, file)) continue;
      return fmt::format("; it is one of {}: kvscope import {} {}", other.title, other.name,
                         shell_word(file.path.string()));
    }
  }
  return "";
}

/// Says, or refuses where it is all of them, that results are of prompts which the point has not.
void check_prompts(const JudgeScores& scores,
                   const PointSummary& point,
                   std::vector<std::string>& notes) {
  if (scores.prompts.empty()) return;
  std::set<std::string> own;
  for (const std::vector<ImageRow>* rows : {&point.result.rows, &point.unused_rows}) {
    for (const ImageRow& row : *rows) own.insert(with_single_blanks(row.prompt));
  }
  std::vector<std::string> foreign;
  for (const std::string& prompt : scores.prompts) {
    if (!own.contains(with_single_blanks(prompt))) foreign.push_back("'" + prompt + "'");
  }
  if (foreign.empty()) return;
  constexpr size_t kShown = 3;
  const std::string which = first_few(foreign, kShown);
  if (foreign.size() == scores.prompts.size()) {
    throw Error(ErrorKind::kInput,
                fmt::format("the results are of {} prompts, none of which point {} has: {}; the "
                            "results of another point? --point HASH or --card OUT.card.json says "
                            "whose they are",
                            foreign.size(), short_hash(point.point()), which));
  }
  notes.push_back(fmt::format("{} of the {} prompts of the results are not of point {}: {}",
                              foreign.size(), scores.prompts.size(), short_hash(point.point()),
                              which));
}

/// Samples a prompt that results are of where nothing says it: a point may have fewer than a judge
/// asks for.
int64_t samples_of(const Judge& judge, const ImportOptions& import, const PointSummary& point) {
  if (import.samples) return *import.samples;
  const int64_t replicas = std::max<int64_t>(1, point.point().replicas);
  return judge.samples == kAllSamples ? replicas : std::min(judge.samples, replicas);
}

}  // namespace

JudgeScores import_scores(const Judge& judge, const ImportOptions& options) {
  if (!judge.import) {
    throw Error(
        ErrorKind::kConfig,
        fmt::format("{} leaves no result files; of what evaluator.py prints: kvscope import "
                    "imagenet_npz",
                    judge.title));
  }
  if (options.files.empty()) {
    throw Error(ErrorKind::kConfig, fmt::format("kvscope import {}: no result file", judge.name));
  }
  require_samples(options.samples);
  ImportRequest request{.samples = options.samples.value_or(0)};
  for (const fs::path& file : options.files) {
    JudgeFile& judged = request.files.emplace_back(JudgeFile{.path = file});
    if (!judged.is_archive()) judged.text = judge_file_text(file);
  }
  if (!options.prompts.empty()) request.prompts = prompt_list_of(judge, options.prompts);
  try {
    return judge.import(request);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInput) throw;
    throw Error(ErrorKind::kInput, error.what() + owners(judge, request.files));
  }
}

JudgeJson json_of(const std::vector<JudgeNumber>& numbers) {
  JudgeJson list = JudgeJson::array();
  for (const JudgeNumber& number : numbers) {
    list.push_back({{"label", number.label},
                    {"variant", number.variant},
                    {"value", json_number(number.value)},
                    {"decimals", number.decimals},
                    {"higher_is_better", number.higher_is_better},
                    {"fault", number.fault}});
  }
  return list;
}

fs::path store_scores(const Judge& judge,
                      const ImportOptions& import,
                      JudgeScores& scores,
                      const StoreOptions& store) {
  const SweepSummary sweep = read_sweep(store.folder);
  PointChoice choice = store.choice;
  JudgeRecipe recipe;
  if (!store.card.empty()) {
    const JudgeCard card = read_judge_card(store.card);
    if (card.judge != judge.name) {
      throw Error(ErrorKind::kInput, fmt::format("{}: the card of an export for {}, not for {}",
                                                 store.card.string(), card.judge, judge.name));
    }
    choice.point = card.point_hash;
    recipe = card.recipe;
  }
  const PointSummary point = chosen_point(sweep, choice);
  const auto rewritten =
      std::ranges::find(recipe, std::string("rewritten"), &JudgeRecipe::value_type::first);
  const bool is_rewritten = rewritten != recipe.end() && rewritten->second != "no";
  if (!is_rewritten) check_prompts(scores, point, scores.notes);
  if (recipe.empty()) {
    const int64_t samples = samples_of(judge, import, point);
    const PromptList list = prompt_list_of(judge, import.prompts);
    recipe = judge_recipe(
        point, "",
        {.samples = samples, .prompts = std::ssize(list.prompts), .prompts_sha256 = list.sha256});
    std::erase_if(recipe, [&](const auto& item) {
      return list.prompts.empty() && (item.first == "prompts" || item.first == "rewritten");
    });
  }
  JudgeJson json;
  json["schema"] = "kvscope.judgement";
  json["version"] = 1;
  json["judge"] = judge.name;
  json["source"] = fmt::format("{} {}", judge.repository, judge.commit);
  json["point"] = point.point().point_hash;
  json["recipe"] = JudgeJson::object();
  for (const auto& [key, value] : recipe) json["recipe"][key] = value;
  json["numbers"] = json_of(scores.numbers);
  json["files"] = JudgeJson::array();
  for (const fs::path& file : import.files) {
    json["files"].push_back({{"file", fs::absolute(file).string()}, {"sha256", digest_of(file)}});
  }
  json["card"] = store.card.string();
  json["notes"] = scores.notes;
  json["program"] = std::string("kvscope ") + kVersion;
  json["imported"] = utc_time(std::chrono::duration_cast<std::chrono::seconds>(
                                  std::chrono::system_clock::now().time_since_epoch())
                                  .count());
  json["totals"] = scores.totals;
  const fs::path path = judgement_path(point.folder, judge.name);
  write_file_atomically(path, json.dump(1, ' ', false, JudgeJson::error_handler_t::replace) + "\n");
  return path;
}

}  // namespace kvscope
