#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "experiments/judges/judge_prompts.h"

namespace kvscope {

/// A prompt of which images are exported.
struct ExportedPrompt {
  JudgePrompt prompt{};
  int64_t index = 0;               ///< in the judge's list, from 0
  std::vector<int64_t> samples{};  ///< which of them there are: 0, 1, ... unless some are missing
  std::vector<uint64_t> seeds{};   ///< of each of `samples`
};

/// Whose image a tile is.
enum class ImageSource { kPoint, kBase };

struct ImageTile {
  ImageSource source = ImageSource::kPoint;
  size_t prompt = 0;  ///< in PlanRequest::prompts
  int64_t sample = 0;
};

/// A picture of the folder: one image, or four of one size as 2 x 2 tiles, row by row, without a
/// border.
struct PlannedPicture {
  std::string place{};  ///< relative to the folder
  std::vector<ImageTile> tiles{};
  bool is_jpeg = false;
};

struct PlannedText {
  std::string place{};
  std::string content{};
};

/// All images in one numpy archive, arr_0 u8 [N, H, W, 3], in this order.
struct PlannedArchive {
  std::string place{};
  std::vector<ImageTile> tiles{};
};

/// Everything that a judge's folder has in it.
struct ExportPlan {
  std::vector<PlannedText> texts{};
  std::vector<PlannedPicture> pictures{};
  std::optional<PlannedArchive> archive{};
  std::string order{};  ///< how `archive` is ordered, for the card

  /// Every place, texts first.
  [[nodiscard]] std::vector<std::string> places() const;
};

/// What a judge's layout is made of.
struct PlanRequest {
  std::vector<ExportedPrompt> prompts{};
  std::string name{};    ///< of the model, where the layout has a folder of it
  std::string folder{};  ///< of the export as it was typed, where a file of it names paths
  bool shuffled = true;  ///< archives: shuffled by `shuffle_seed`, or in the prompts' order
  uint64_t shuffle_seed = 0;
};

/// One picture a sample: `place` of (prompt, sample), in the order of prompts, then samples.
template <class Place>
ExportPlan plan_of_samples(const PlanRequest& request, bool is_jpeg, const Place& place) {
  ExportPlan plan;
  for (size_t i = 0; i < request.prompts.size(); ++i) {
    for (const int64_t sample : request.prompts[i].samples) {
      plan.pictures.push_back({.place = place(request.prompts[i], sample),
                               .tiles = {{.prompt = i, .sample = sample}},
                               .is_jpeg = is_jpeg});
    }
  }
  return plan;
}

}  // namespace kvscope
