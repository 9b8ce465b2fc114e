#include <ATen/ATen.h>
#include <fmt/format.h>

#include "analysis/statistics/moments_file.h"
#include "core/base/error.h"
#include "experiments/judges/judge.h"
#include "experiments/judges/printed_values.h"
#include "experiments/judges/reader_rules.h"

namespace kvscope {
namespace {

ExportPlan plan(const PlanRequest& request) {
  int64_t next = 0;
  return plan_of_samples(request, false, [&](const ExportedPrompt& /*prompt*/, int64_t /*sample*/) {
    return fmt::format("{:06}.png", next++);
  });
}

std::vector<FolderReading> read_folder(const ReadRequest& request) {
  std::vector<FolderReading> readings = {
      read_by("clean-fid", request.listing, reader_rules::clean_fid),
      read_by("pytorch-fid", request.listing, reader_rules::pytorch_fid)};
  if (request.listing.root.string().find(".zip") != std::string::npos) {
    readings[0].stops.push_back({"", "a path with .zip in it is taken for an archive"});
  }
  for (const std::string& file : readings[0].read) {
    if (file.find(".npy") != std::string::npos) {
      readings[0].misread.push_back({file, "a name with .npy in it is taken for an array"});
    }
  }
  constexpr size_t kFeatures = 2048;
  for (FolderReading& reading : readings) {
    check_pictures(reading, request.listing);
    if (reading.read.size() < kFeatures) {
      reading.notes.push_back(fmt::format(
          "{} pictures are fewer than the {} features: covariances are singular, and FID says "
          "little",
          reading.read.size(), kFeatures));
    }
  }
  return readings;
}

JudgeScores import(const ImportRequest& request) {
  JudgeScores scores;
  std::vector<FeatureMoments> moments;
  const auto add = [&](double fid) {
    scores.totals["fid"] = json_number(fid);
    scores.numbers.push_back(
        {.label = "FID", .variant = "official", .value = fid, .higher_is_better = false});
  };
  for (const JudgeFile& file : request.files) {
    if (file.is_archive()) {
      moments.push_back(read_feature_moments(file.path));
      continue;
    }
    std::optional<double> fid = printed_value(file, "FID");
    if (!fid) fid = printed_value(file, "FID score");
    if (!fid) fid = printed_value(file, "clean-fid");
    // Scripts of other judges print a line of FID among theirs.
    const bool is_foreign = prints_any(
        file, {"PSNR", "LPIPS", "Inception Score", "sFID", "Average CLIP Score", "CLIP score"});
    if (!fid || is_foreign) {
      refuse_result_file(file, "what pytorch-fid prints (FID:  12.34), or its statistics");
    }
    add(*fid);
    scores.totals["printed"] = fmt::format("FID:  {}", *fid);
  }
  if (moments.empty()) return scores;
  if (moments.size() != 2 || moments[0].mean.numel() != moments[1].mean.numel()) {
    throw Error(ErrorKind::kInput,
                fmt::format("fid: {} files of statistics; expected two, of as many features each: "
                            "of the images, and of what they are compared with",
                            moments.size()));
  }
  const double fid = frechet_distance(moments[0], moments[1]);
  scores.totals["by_eigenvalues"] = json_number(fid);
  if (!scores.totals.contains("fid")) add(fid);
  return scores;
}

}  // namespace

Judge judge_fid() {
  return {.name = "fid",
          .title = "FID",
          .repository = "GaParmar/clean-fid and mseitzer/pytorch-fid",
          .commit =
              "e88c4d6269a4bbf04c04deeb578475b57719acee and "
              "b9c18118d082cbd263c1b8963fc4221dc1cbb659",
          .summary = "NNNNNN.png in one folder, for clean-fid and pytorch-fid",
          .prompt_files = "prompts, a line each; the point's own prompts without it",
          .needs_prompts = false,
          .samples = kAllSamples,
          .advice = "say which program and mode made a number: they resize differently",
          .read_prompts = read_any_prompts,
          .plan = plan,
          .read_folder = read_folder,
          .import = import};
}

}  // namespace kvscope
