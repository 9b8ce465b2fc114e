#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "experiments/results/result_file.h"
#include "experiments/sweep/configuration.h"
#include "experiments/sweep/point.h"
#include "experiments/sweep/runner.h"

namespace kvscope {

/// Overrides that shrink the embedded model to a few thousand random weights: 30 tokens, 16 x 16
/// pixels.
inline std::vector<std::string> tiny_model() {
  return {"model.weights=random",
          "model.tokenizer=null",
          "model.transformer.depth=2",
          "model.transformer.width=32",
          "model.transformer.heads=2",
          "model.transformer.feed_forward_width=64",
          "model.transformer.text_channels=128",
          "model.transformer.text_max_tokens=8",
          "model.transformer.code_bits=4",
          "model.picture.schedule=[[1,1],[2,2],[3,3],[4,4]]",
          "model.vae.base_channels=4",
          "model.vae.channel_multipliers=[1,1,1]",
          "model.vae.norm_groups=2",
          "model.text.d_model=128",
          "model.text.layers=1",
          "model.text.heads=2",
          "model.text.d_kv=8",
          "model.text.d_ff=16",
          "gen.images=5",
          "gen.batch=2"};
}

inline std::vector<std::string> operator+(std::vector<std::string> a,
                                          const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

/// A results folder of one test, removed at its end.
class ResultsFolder {
 public:
  explicit ResultsFolder(const std::string& name)
      : path_(std::filesystem::path(testing::TempDir()) / ("kvscope_sweep_" + name)) {
    std::filesystem::remove_all(path_);
  }
  ~ResultsFolder() { std::filesystem::remove_all(path_); }
  ResultsFolder(const ResultsFolder&) = delete;
  ResultsFolder& operator=(const ResultsFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::string override_text() const { return "hydra.sweep.dir=" + path_.string(); }

 private:
  std::filesystem::path path_;
};

inline PointList points_of(const std::vector<std::string>& overrides,
                           PointIdentity identity = PointIdentity::kHashed,
                           bool multirun = true) {
  const ConfigArguments arguments{.overrides = overrides, .multirun = multirun};
  return list_points(compose_request(arguments), data_root().string(), identity);
}

inline Sweep sweep_of(const std::vector<std::string>& overrides, const ResultsFolder& folder) {
  return {.list = points_of(overrides),
          .folder = folder.path(),
          .root = data_root().string(),
          .command_line = "kvscope run -m"};
}

/// A point's finished results.
inline ResultFile results_of(const Point& point, const ResultsFolder& folder) {
  return read_result(folder.path() / "points" / point.hash.substr(0, 12) / "result.h5");
}

}  // namespace kvscope
