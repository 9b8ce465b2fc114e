#include "experiments/report/figures/heatmap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <utility>

#include "core/base/error.h"
#include "tests/experiments/report/drawing/figure_check.h"

namespace kvscope {
namespace {

using testing::HasSubstr;

Heatmap small_map() {
  Heatmap map;
  map.title = "ASI";
  map.row_axis = "layer";
  map.column_axis = "scale";
  map.value_label = "index";
  map.row_labels = {"0", "1"};
  map.column_labels = {"1", "2", "3"};
  map.values = {0, 0.5, 1, std::nan(""), 0.25, 0.75};
  map.marks = {{1, 2, "D"}};
  map.provenance = {"3f9c1a77b2d0"};
  return map;
}

TEST(Heatmap, DrawsEveryCellInItsColour) {
  const Heatmap map = small_map();
  const Canvas canvas = draw_heatmap(map);
  const std::string svg = canvas.svg(heatmap_info(map));
  EXPECT_TRUE(is_well_formed(svg));
  EXPECT_THAT(svg, HasSubstr("<point>3f9c1a77b2d0</point>"));
  EXPECT_THAT(svg, HasSubstr("from 0 to 1</desc>"));
  const DecodedFigure png = decode_figure(canvas.png({}));
  for (const uint32_t colour : {0x440154u, 0x21908Cu, 0xFDE725u}) {  // viridis at 0, 1/2, 1
    EXPECT_GT(std::count(png.pixels.begin(), png.pixels.end(), colour), 500) << std::hex << colour;
  }
}

TEST(Heatmap, ManyCellsAndConstantOrAbsentValuesFit) {
  Heatmap map = small_map();
  map.marks.clear();
  map.row_labels.assign(200, "row");
  map.column_labels.assign(300, "a rather long column label");
  map.values.assign(60000, 3.0);
  const Canvas canvas = draw_heatmap(map);
  EXPECT_LT(canvas.width_px(), 1200);
  EXPECT_LT(canvas.height_px(), 1100);
  map = small_map();
  map.values.assign(6, std::nan(""));
  EXPECT_TRUE(is_well_formed(draw_heatmap(map).svg({})));
  map.scale = AxisScale::kLogarithmic;
  map.values = {0, -1, 1e-5, 1, 10, 1e5};
  EXPECT_TRUE(is_well_formed(draw_heatmap(map).svg({})));
}

TEST(Heatmap, AColourBarHasTicksWhateverTheValues) {
  for (const AxisScale scale : {AxisScale::kLinear, AxisScale::kLogarithmic}) {
    for (const auto& [low, high] : {std::pair{3.0, 3.0}, {0.31, 0.34}, {1e-7, 2e3}, {2.0, 3.0}}) {
      Heatmap map;
      map.row_labels = {""};
      map.column_labels = {"", ""};
      map.values = {low, high};
      map.scale = scale;
      const std::string svg = draw_heatmap(map).svg({});
      size_t texts = 0;
      for (size_t at = svg.find("</text>"); at != svg.npos; at = svg.find("</text>", at + 1))
        ++texts;
      EXPECT_GE(texts, 2U) << low << " to " << high;
    }
  }
}

TEST(Heatmap, RefusesWhatDoesNotFit) {
  Heatmap map = small_map();
  map.values.pop_back();
  EXPECT_THROW(draw_heatmap(map), Error);
  map = small_map();
  map.marks.push_back({2, 0, "D"});
  EXPECT_THROW(draw_heatmap(map), Error);
}

TEST(Colours, ViridisGrowsLighterAndClamps) {
  double before = -1;
  for (int i = 0; i <= 50; ++i) {
    const double luminance = viridis(i / 50.0).luminance();
    EXPECT_GT(luminance, before);
    before = luminance;
  }
  EXPECT_EQ(viridis(-1), viridis(0));
  EXPECT_EQ(viridis(2), viridis(1));
}

TEST(Colours, TextStandsOut) {
  EXPECT_EQ(text_colour_on(colour_of(0x440154)), (InkColour{1, 1, 1}));
  EXPECT_EQ(text_colour_on(colour_of(0xFDE725)), (InkColour{0, 0, 0}));
}

}  // namespace
}  // namespace kvscope
