#include "experiments/judges/exported_point.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "core/base/error.h"
#include "experiments/judges/judge_text.h"
#include "experiments/results/point_filter.h"
#include "experiments/results/point_labels.h"

namespace kvscope {
namespace {

std::string listed(const SweepSummary& sweep, const std::string& option) {
  std::string text;
  const std::vector<LabelKey> differing = differing_keys(sweep);
  for (const PointSummary& point : sweep.points) {
    text += fmt::format("\n  {} {}   {}", option, short_hash(point.point()),
                        point_name(point, differing));
  }
  return text;
}

void keep_hash(SweepSummary& sweep, const std::string& hash, const std::string& option) {
  const SweepSummary all = sweep;
  std::erase_if(sweep.points, [&](const PointSummary& point) {
    return !point.point().point_hash.starts_with(hash);
  });
  if (!sweep.points.empty()) return;
  throw Error(ErrorKind::kConfig, fmt::format("{} {}: no finished point of this hash; there are{}",
                                              option, hash, listed(all, option)));
}

/// Rows of a point by prompt number, each by sample: ranks of image numbers, as files of before
/// version 3 do not say the replica.
using RowsByPrompt = std::map<uint64_t, std::vector<const ImageRow*>>;

RowsByPrompt rows_by_prompt(const PointSummary& point) {
  RowsByPrompt rows;
  for (const ImageRow& row : point.result.rows) rows[row.prompt_id].push_back(&row);
  for (auto& [prompt, of_prompt] : rows) {
    std::ranges::sort(of_prompt, {}, [](const ImageRow* row) { return row->image_index; });
  }
  return rows;
}

using ImageKey = std::pair<std::string, uint64_t>;  // prompt and seed

std::map<ImageKey, const ImageRow*> rows_by_key(const PointSummary& point) {
  std::map<ImageKey, const ImageRow*> rows;
  for (const std::vector<ImageRow>* list : {&point.result.rows, &point.unused_rows}) {
    for (const ImageRow& row : *list) rows[{row.prompt, row.seed}] = &row;
  }
  return rows;
}

PromptList own_prompts(const RowsByPrompt& rows) {
  PromptList list;
  for (const auto& [prompt, of_prompt] : rows) {
    list.prompts.push_back({.key = std::to_string(list.prompts.size()),
                            .text = of_prompt.front()->prompt,
                            .where = fmt::format("prompt {}", prompt)});
  }
  return list;
}

/// Prompts of the point that are still to be given away, by text.
class PromptsByText {
 public:
  explicit PromptsByText(const RowsByPrompt& rows) {
    for (const auto& [prompt, of_prompt] : rows) {
      left_[with_single_blanks(of_prompt.front()->prompt)].push_back(&of_prompt);
    }
  }
  /// The next prompt of this text; null where there is none.
  const std::vector<const ImageRow*>* take(const std::string& text) {
    const auto found = left_.find(with_single_blanks(text));
    if (found == left_.end() || found->second.empty()) return nullptr;
    const auto* rows = found->second.front();
    found->second.erase(found->second.begin());
    return rows;
  }
  [[nodiscard]] int64_t left() const {
    int64_t count = 0;
    for (const auto& [text, rows] : left_) count += std::ssize(rows);
    return count;
  }

 private:
  std::map<std::string, std::vector<const std::vector<const ImageRow*>*>> left_;
};

void note_repeats(MatchedImages& images) {
  std::vector<std::string> repeats;
  for (size_t i = 0; i < images.prompts.size(); ++i) {
    std::set<std::string> seen;
    for (const int64_t sample : images.prompts[i].samples) {
      if (!seen.insert(images.rows[{i, sample}]->token_sha256).second) {
        repeats.push_back(fmt::format("{}, sample {}", images.prompts[i].prompt.key, sample));
      }
    }
  }
  if (repeats.empty()) return;
  images.notes.push_back(fmt::format("{} samples are the same image as another of their prompt: {}",
                                     repeats.size(), fmt::join(repeats, "; ")));
}

}  // namespace

PointSummary chosen_point(const SweepSummary& sweep, const PointChoice& choice) {
  SweepSummary chosen = points_with(sweep, choice.only, FullCaches::kLikeOthers);
  if (chosen.points.empty()) {
    throw Error(ErrorKind::kConfig, fmt::format("--only: no point has all of these; there are{}",
                                                listed(sweep, "--point")));
  }
  if (!choice.point.empty()) keep_hash(chosen, choice.point, "--point");
  if (chosen.points.size() > 1) {
    throw Error(ErrorKind::kConfig,
                fmt::format("{} points; numbers of one judge are of one point. Choose it by --only "
                            "label=value, or by one of{}",
                            chosen.points.size(), listed(chosen, "--point")));
  }
  return chosen.points.front();
}

PointSummary base_point(const SweepSummary& sweep,
                        const PointSummary& point,
                        const std::string& hash) {
  if (point.point().full_cache) {
    throw Error(ErrorKind::kConfig,
                fmt::format("point {} is a full cache itself; pairs are of another policy with it",
                            short_hash(point.point())));
  }
  SweepSummary full = sweep;
  std::erase_if(full.points, [&](const PointSummary& other) {
    return !other.point().full_cache ||
           other.point().label("model") != point.point().label("model");
  });
  if (!hash.empty()) keep_hash(full, hash, "--base");
  const SweepSummary all = full;
  std::erase_if(full.points, [&](const PointSummary& other) {
    const auto rows = rows_by_key(other);
    return !std::ranges::all_of(point.result.rows, [&](const ImageRow& row) {
      return rows.contains({row.prompt, row.seed});
    });
  });
  if (full.points.size() > 1) {
    std::erase_if(full.points, [&](const PointSummary& other) {
      return other.point().label("reference") != point.point().label("reference");
    });
  }
  if (full.points.size() == 1) return full.points.front();
  if (full.points.empty()) {
    throw Error(ErrorKind::kConfig,
                fmt::format("point {}: no full cache in {} has the images of all its prompts and "
                            "seeds; policy=full makes it",
                            short_hash(point.point()), sweep.folder.string()));
  }
  throw Error(ErrorKind::kConfig, fmt::format("several full caches have these prompts and seeds; "
                                              "choose one of{}",
                                              listed(full, "--base")));
}

MatchedImages matched_images(const PointSummary& point,
                             const PointSummary* base,
                             const PromptList& list,
                             const std::map<std::string, std::string>& rewritten,
                             int64_t samples) {
  const RowsByPrompt by_prompt = rows_by_prompt(point);
  const auto base_rows =
      base == nullptr ? std::map<ImageKey, const ImageRow*>() : rows_by_key(*base);
  PromptsByText left(by_prompt);
  const PromptList own = list.prompts.empty() ? own_prompts(by_prompt) : PromptList();
  const std::vector<JudgePrompt>& prompts = list.prompts.empty() ? own.prompts : list.prompts;
  MatchedImages images;
  for (size_t i = 0; i < prompts.size(); ++i) {
    ExportedPrompt exported{.prompt = prompts[i], .index = static_cast<int64_t>(i)};
    const auto changed = rewritten.find(with_single_blanks(prompts[i].text));
    const std::vector<const ImageRow*>* rows = nullptr;
    if (changed != rewritten.end()) {
      rows = left.take(changed->second);
      if (rows != nullptr) ++images.rewritten;
    }
    if (rows == nullptr) rows = left.take(prompts[i].text);
    for (int64_t sample = 0; sample < samples; ++sample) {
      const auto miss = [&](const std::string& why) {
        images.missing.push_back(fmt::format("{}, sample {} ('{}'): {}", prompts[i].where, sample,
                                             prompts[i].text, why));
      };
      if (rows == nullptr) {
        miss("the point has no such prompt");
        continue;
      }
      if (sample >= std::ssize(*rows)) {
        miss(fmt::format("the point has {} of this prompt", rows->size()));
        continue;
      }
      const ImageRow* row = (*rows)[static_cast<size_t>(sample)];
      const auto paired = base_rows.find({row->prompt, row->seed});
      if (base != nullptr && paired == base_rows.end()) {
        miss("the full cache has no image of this prompt and seed");
        continue;
      }
      exported.samples.push_back(sample);
      exported.seeds.push_back(row->seed);
      images.rows[{i, sample}] = row;
      if (base != nullptr) images.base_rows[{i, sample}] = paired->second;
    }
    images.prompts.push_back(std::move(exported));
  }
  if (!rewritten.empty() && images.rewritten == 0) {
    images.notes.emplace_back(
        "none of the rewritten prompts was found: its keys have to be the original prompts; the "
        "rewriter that Infinity released stores the rewritten prompt as its own key");
  }
  if (const int64_t unused = left.left(); unused > 0 && !list.prompts.empty()) {
    images.notes.push_back(
        fmt::format("{} prompts of the point are not in the list and are left out", unused));
  }
  note_repeats(images);
  return images;
}

}  // namespace kvscope
