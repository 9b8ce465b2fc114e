#include "experiments/report/figures/contact_sheet.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.h"

namespace kvscope {
namespace {

constexpr double kOuter = 20;
constexpr double kGap = 8;           // between images
constexpr double kLabelWidth = 130;  // at most, of the rows' labels
constexpr double kLabelLine = 15;
constexpr double kCaptionLine = 13.5;
constexpr size_t kCaptionLines = 5;
const TextStyle kTitle{.size_px = 15, .bold = true};
const TextStyle kLabel{.size_px = 11.5, .bold = true};
const TextStyle kDetail{.size_px = 10.5, .colour = ink::kSoft};
const TextStyle kCaption{.size_px = 10, .colour = ink::kText};

void check(const ContactSheet& sheet) {
  if (sheet.magnification < 1) {
    throw Error(
        ErrorKind::kConfig,
        fmt::format("contact sheet: magnification {}, expected 1 or more", sheet.magnification));
  }
  for (const ContactRow& row : sheet.rows) {
    if (row.images.size() == sheet.prompts.size()) continue;
    throw Error(ErrorKind::kConfig,
                fmt::format("contact sheet: row '{}' has {} images for {} prompts", row.label,
                            row.images.size(), sheet.prompts.size()));
  }
}

// A row's label, wrapped: names of policies are long where parameters are part of them.
std::vector<std::pair<std::string, TextStyle>> label_lines(const Canvas& ruler,
                                                           const ContactRow& row) {
  std::vector<std::pair<std::string, TextStyle>> lines;
  for (std::string& line : ruler.wrapped(row.label, kLabel, kLabelWidth, 3)) {
    lines.emplace_back(std::move(line), kLabel);
  }
  for (const std::string& detail : row.details) {
    for (std::string& line : ruler.wrapped(detail, kDetail, kLabelWidth, 2)) {
      lines.emplace_back(std::move(line), kDetail);
    }
  }
  return lines;
}

}  // namespace

FigureInfo contact_sheet_info(const ContactSheet& sheet) {
  return {sheet.title,
          fmt::format("Images of {} prompts (columns) under {} settings (rows)",
                      sheet.prompts.size(), sheet.rows.size()),
          sheet.provenance};
}

Canvas draw_contact_sheet(const ContactSheet& sheet) {
  check(sheet);
  const Canvas ruler(1, 1);
  const auto magnification = static_cast<double>(sheet.magnification);

  double cell_width = 64;  // without any image the sheet still shows its rows and captions
  double cell_height = 64;
  for (const ContactRow& row : sheet.rows) {
    for (const auto& image : row.images) {
      if (!image) continue;
      cell_width = std::max(cell_width, static_cast<double>(image->width) * magnification);
      cell_height = std::max(cell_height, static_cast<double>(image->height) * magnification);
    }
  }
  std::vector<std::vector<std::pair<std::string, TextStyle>>> labels;
  double label_width = 0;
  for (const ContactRow& row : sheet.rows) {
    labels.push_back(label_lines(ruler, row));
    for (const auto& [text, style] : labels.back()) {
      label_width = std::max(label_width, ruler.text_width(text, style));
    }
  }
  std::vector<std::vector<std::string>> captions;
  size_t caption_lines = 0;
  for (const std::string& prompt : sheet.prompts) {
    captions.push_back(ruler.wrapped(prompt, kCaption, cell_width, kCaptionLines));
    caption_lines = std::max(caption_lines, captions.back().size());
  }
  std::vector<double> row_heights;
  double images_height = 0;
  for (const auto& label : labels) {
    row_heights.push_back(std::max(cell_height, kLabelLine * static_cast<double>(label.size())) +
                          kGap);
    images_height += row_heights.back();
  }

  const double left = kOuter + label_width + 14;
  double top = kOuter + (sheet.title.empty() ? 0 : 30);
  const double captions_top = top;
  top += kCaptionLine * static_cast<double>(caption_lines) + 6;
  const double width =
      left + (cell_width + kGap) * static_cast<double>(sheet.prompts.size()) - kGap + kOuter;
  Canvas canvas(std::max(width, 200.0), top + images_height - kGap + kOuter);

  canvas.text(canvas.wrapped(sheet.title, kTitle, canvas.width_px() - 2 * kOuter, 1)[0],
              {kOuter, kOuter + 12}, kTitle);
  for (size_t c = 0; c < captions.size(); ++c) {
    const double x = left + (cell_width + kGap) * static_cast<double>(c);
    // Captions of fewer lines sit next to their images.
    const size_t empty_lines = caption_lines - captions[c].size();
    for (size_t i = 0; i < captions[c].size(); ++i) {
      const double y = captions_top + kCaptionLine * static_cast<double>(empty_lines + i) + 9;
      canvas.text(captions[c][i], {x, y}, kCaption);
    }
  }
  for (size_t r = 0; r < sheet.rows.size(); ++r) {
    for (size_t i = 0; i < labels[r].size(); ++i) {
      canvas.text(labels[r][i].first, {kOuter, top + 10 + kLabelLine * static_cast<double>(i)},
                  labels[r][i].second);
    }
    for (size_t c = 0; c < sheet.prompts.size(); ++c) {
      const Position corner{left + (cell_width + kGap) * static_cast<double>(c), top};
      const auto& image = sheet.rows[r].images[c];
      if (image) {
        // Whole pixels: half a pixel off would smear every one of the image's.
        canvas.image(*image, {std::round(corner.x), std::round(corner.y)}, sheet.magnification);
      } else {
        canvas.stroke_rectangle({corner.x + 0.5, corner.y + 0.5}, cell_width - 1, cell_height - 1,
                                {.colour = ink::kMuted, .width_px = 1, .dash_px = {3, 3}});
        canvas.text("—", {corner.x + cell_width / 2, corner.y + cell_height / 2},
                    {.size_px = 12,
                     .colour = ink::kMuted,
                     .anchor = TextAnchor::kMiddle,
                     .baseline = TextBaseline::kMiddle});
      }
    }
    top += row_heights[r];
  }
  return canvas;
}

}  // namespace kvscope
