#include "experiments/report/figures/contact_sheet.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/base/error.h"
#include "tests/experiments/report/drawing/figure_check.h"

namespace kvscope {
namespace {

Image filled(int64_t side, uint8_t red) {
  Image image(side, side);
  for (int64_t i = 0; i < side * side; ++i) image.rgb[static_cast<size_t>(3 * i)] = red;
  return image;
}

ContactSheet small_sheet() {
  ContactSheet sheet;
  sheet.title = "Sheet";
  sheet.prompts = {"a red circle",
                   "a very long prompt with <markup> that takes more than one line"};
  sheet.rows = {{"full", {"100 %", "PSNR ∞"}, {filled(64, 201), filled(64, 202)}},
                {"snapkv", {"10 %"}, {filled(64, 203), std::nullopt}}};
  sheet.magnification = 3;
  return sheet;
}

TEST(ContactSheet, ShowsEveryImageMagnified) {
  const ContactSheet sheet = small_sheet();
  const DecodedFigure png = decode_figure(draw_contact_sheet(sheet).png(contact_sheet_info(sheet)));
  for (const uint32_t red : {201u, 202u, 203u}) {
    EXPECT_EQ(std::count(png.pixels.begin(), png.pixels.end(), red << 16), 64 * 64 * 9);
  }
}

TEST(ContactSheet, ColumnsLineUpAndGapsStayGaps) {
  const ContactSheet sheet = small_sheet();
  const DecodedFigure png = decode_figure(draw_contact_sheet(sheet).png({}));
  const auto first_column = [&](uint32_t red) {
    const auto at = std::find(png.pixels.begin(), png.pixels.end(), red << 16);
    return (at - png.pixels.begin()) % png.width;
  };
  EXPECT_EQ(first_column(201), first_column(203));
  EXPECT_GE(first_column(202), first_column(201) + 192);
}

TEST(ContactSheet, RefusesUnevenRowsAndBadMagnification) {
  ContactSheet sheet = small_sheet();
  sheet.rows[1].images.pop_back();
  EXPECT_THROW(draw_contact_sheet(sheet), Error);
  sheet = small_sheet();
  sheet.magnification = 0;
  EXPECT_THROW(draw_contact_sheet(sheet), Error);
  sheet.magnification = 100000;
  EXPECT_THROW(draw_contact_sheet(sheet), Error);
}

TEST(ContactSheet, EmptySheetsDraw) {
  EXPECT_GT(draw_contact_sheet({}).width_px(), 0);
}

}  // namespace
}  // namespace kvscope
