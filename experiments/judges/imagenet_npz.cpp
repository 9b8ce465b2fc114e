#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>

#include "analysis/statistics/feature_distance.h"
#include "core/base/error.h"
#include "core/base/split_mix.h"
#include "core/npz/npz_reader.h"
#include "experiments/judges/feature_scores.h"
#include "experiments/judges/judge.h"
#include "experiments/judges/printed_values.h"

namespace kvscope {
namespace {

constexpr int64_t kSamples = 50000;
constexpr int64_t kInceptionSplit = 5000;
constexpr const char* kPlace = "samples.npz";

ExportPlan plan(const PlanRequest& request) {
  PlannedArchive archive{.place = kPlace};
  for (size_t i = 0; i < request.prompts.size(); ++i) {
    for (const int64_t sample : request.prompts[i].samples) {
      archive.tiles.push_back({.prompt = i, .sample = sample});
    }
  }
  ExportPlan plan;
  plan.order = "by prompt, then sample";
  if (request.shuffled) {
    uint64_t state = request.shuffle_seed;
    for (size_t i = archive.tiles.size(); i > 1; --i) {
      std::swap(archive.tiles[i - 1], archive.tiles[split_mix(state) % i]);
      state += kSplitMixIncrement;
    }
    plan.order = fmt::format("shuffled by seed {}", request.shuffle_seed);
  }
  plan.archive = std::move(archive);
  return plan;
}

FolderReading read_archive(const std::filesystem::path& path, const std::string& place) {
  FolderReading reading{.reader = "the ADM evaluator", .read = {place}};
  try {
    const NpzReader reader(path);
    const NpyHeader header = reader.header("arr_0");
    const bool fits = header.type == "|u1" && header.shape.size() == 4 && header.shape[3] == 3 &&
                      !header.fortran_order;
    if (!fits) {
      reading.stops.push_back({place, fmt::format("arr_0 is {} [{}]: expected |u1 [N, H, W, 3], "
                                                  "row-major",
                                                  header.type, fmt::join(header.shape, ", "))});
    } else if (header.shape[0] != kSamples) {
      reading.notes.push_back(
          fmt::format("{} pictures: published numbers are of {}", header.shape[0], kSamples));
    }
    if (reader.is_compressed("arr_0")) {
      reading.notes.emplace_back("compressed: read all the same, slowly");
    }
  } catch (const Error& error) {
    reading.stops.push_back({place, error.what()});
  }
  return reading;
}

std::vector<FolderReading> read_folder(const ReadRequest& request) {
  FolderReading reading{.reader = "the ADM evaluator"};
  for (const std::string& file : request.listing.files) {
    if (!file.ends_with(".npz")) {
      reading.skipped.push_back({file, "no .npz"});
      continue;
    }
    const FolderReading archive = read_archive(request.listing.root / file, file);
    reading.read.push_back(file);
    reading.stops.insert(reading.stops.end(), archive.stops.begin(), archive.stops.end());
    reading.notes.insert(reading.notes.end(), archive.notes.begin(), archive.notes.end());
  }
  return {reading};
}

FeatureRows rows_of(const NpzReader& reader, const std::string& name, const std::string& file) {
  NpyArray array = reader.array(name);
  if (array.shape.size() != 2 || array.shape[0] < 1 || array.shape[1] < 1) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: array '{}': expected [rows, columns]", file, name));
  }
  if (!all_finite(array.values)) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: array '{}' has values that are no finite numbers", file, name));
  }
  return {.rows = array.shape[0], .columns = array.shape[1], .values = std::move(array.values)};
}

/// Features as the evaluator's graph gives them: both sets' pool and spatial features, and the
/// class logits of the samples in the file's order.
void add_features(const JudgeFile& file, JudgeScores& scores) {
  const NpzReader reader(file.path);
  const std::string name = file.path.string();
  JudgeJson& totals = scores.totals;
  bool any = false;
  const auto pair_of = [&](const char* reference, const char* samples, auto&& add) {
    if (!reader.has(reference) || !reader.has(samples)) return;
    const FeatureRows a = rows_of(reader, reference, name);
    const FeatureRows b = rows_of(reader, samples, name);
    if (a.columns != b.columns) {
      throw Error(ErrorKind::kInput, fmt::format("{}: '{}' and '{}' have {} and {} columns", name,
                                                 reference, samples, a.columns, b.columns));
    }
    any = true;
    add(a, b);
  };
  pair_of("ref_pool", "sample_pool", [&](const FeatureRows& a, const FeatureRows& b) {
    totals["fid"] = frechet_distance(feature_moments(tensor_of(a)), feature_moments(tensor_of(b)));
    const PrecisionRecall shares = precision_recall(a, b);
    totals["precision"] = shares.precision;
    totals["recall"] = shares.recall;
  });
  pair_of("ref_spatial", "sample_spatial", [&](const FeatureRows& a, const FeatureRows& b) {
    totals["sfid"] = frechet_distance(feature_moments(tensor_of(a)), feature_moments(tensor_of(b)));
  });
  if (reader.has("class_logits")) {
    any = true;
    const FeatureRows logits = rows_of(reader, "class_logits", name);
    totals["inception_score"] = {{"rows", logits.rows},
                                 {"split", kInceptionSplit},
                                 {"in_file_order", inception_score(logits, kInceptionSplit)},
                                 {"one_split", inception_score(logits, logits.rows)}};
  }
  if (!any) {
    refuse_result_file(file,
                       "arrays ref_pool and sample_pool, ref_spatial and sample_spatial, or "
                       "class_logits");
  }
}

JudgeScores import(const ImportRequest& request) {
  JudgeScores scores;
  for (const JudgeFile& file : request.files) {
    if (file.is_archive()) {
      add_features(file, scores);
      continue;
    }
    bool any = false;
    for (const auto& [key, label] :
         {std::pair("inception_score", "Inception Score"), std::pair("fid", "FID"),
          std::pair("sfid", "sFID"), std::pair("precision", "Precision"),
          std::pair("recall", "Recall")}) {
      const auto value = printed_value(file, label);
      if (!value) continue;
      any = any || std::string_view(key) != "fid";  // that alone is of other programs
      scores.totals[key] = json_number(*value);
    }
    if (!any) refuse_result_file(file, "what evaluator.py prints, or features as .npz");
  }
  const auto add = [&](const char* key, const char* label, const char* variant, int decimals,
                       bool higher, const JudgeJson& value, const std::string& fault) {
    if (!value.is_number() || !scores.totals.contains(key)) return;
    scores.numbers.push_back({.label = label,
                              .variant = variant,
                              .value = value,
                              .decimals = decimals,
                              .higher_is_better = higher,
                              .fault = fault});
  };
  const JudgeJson& totals = scores.totals;
  const auto value_of = [&](const char* key) { return totals.value(key, JudgeJson()); };
  const JudgeJson inception = value_of("inception_score");
  add("fid", "FID", "official", 2, false, value_of("fid"), "");
  add("sfid", "sFID", "official", 2, false, value_of("sfid"), "");
  add("precision", "Precision", "official", 4, true, value_of("precision"), "");
  add("recall", "Recall", "official", 4, true, value_of("recall"), "");
  if (inception.is_object()) {
    add("inception_score", "IS", "official", 2, true, inception["in_file_order"], "");
    add("inception_score", "IS", "corrected", 2, true, inception["one_split"],
        "of all rows at once, so that their order does not matter");
  } else {
    add("inception_score", "IS", "official", 2, true, inception, "");
    if (inception.is_number()) {
      scores.notes.emplace_back(
          "the inception score is the mean over parts of 5000 rows in the "
          "file's order: of a file sorted by class it is far too low");
    }
  }
  return scores;
}

}  // namespace

Judge judge_imagenet_npz() {
  return {.name = "imagenet_npz",
          .title = "ImageNet, the ADM evaluator",
          .repository = "openai/guided-diffusion",
          .commit = "22e0df8183507e13a7813f8d38d51b072ca1e67c",
          .summary = "one .npz, arr_0 u8 [N, H, W, 3], shuffled",
          .prompt_files = "prompts, a line each; the point's own prompts without it",
          .needs_prompts = false,
          .samples = kAllSamples,
          .is_archive = true,
          .full_prompts = kSamples,
          .advice =
              "evaluator.py REFERENCE SAMPLES: the other way round precision and recall change "
              "places without an error",
          .read_prompts = read_any_prompts,
          .plan = plan,
          .read_folder = read_folder,
          .import = import};
}

}  // namespace kvscope
