#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/image.h"
#include "experiments/report/drawing/canvas.h"

namespace kvscope {

/// One setting of a sweep: its images of all prompts.
struct ContactRow {
  std::string label{};                 // policy
  std::vector<std::string> details{};  // lines below it: budget, metrics, ...
  std::vector<std::optional<Image>>
      images;  // [prompts]; nothing: not made, drawn as an empty frame
};

/// Images of the same prompts under different settings, one above the other.
struct ContactSheet {
  std::string title{};
  std::vector<std::string> prompts{};  // captions above the columns, wrapped
  std::vector<ContactRow> rows{};
  int64_t magnification = 1;  // each pixel becomes this many squared, nearest neighbour
  std::vector<std::string> provenance{};
};

/// The drawing. Errors: kConfig when a row has not one image per prompt, when the magnification is
/// below 1, or when the sheet would be larger than an image file may be.
Canvas draw_contact_sheet(const ContactSheet& sheet);

FigureInfo contact_sheet_info(const ContactSheet& sheet);

}  // namespace kvscope
