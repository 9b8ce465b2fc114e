#include "experiments/report/figures/chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include "core/base/error.h"
#include "experiments/report/drawing/colours.h"
#include "experiments/report/figures/label_layout.h"
#include "experiments/report/figures/trade_off.h"
#include "tests/experiments/report/drawing/figure_check.h"

namespace kvscope {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> labels(double low, double high, AxisScale scale, int wanted) {
  std::vector<std::string> found;
  for (const Tick& tick : axis_ticks(low, high, scale, wanted)) {
    if (!tick.label.empty()) found.push_back(tick.label);
  }
  return found;
}

TEST(Ticks, LinearStepsAreRound) {
  EXPECT_THAT(labels(0, 1, AxisScale::kLinear, 5),
              ElementsAre("0.0", "0.2", "0.4", "0.6", "0.8", "1.0"));
  EXPECT_THAT(labels(-3, 22, AxisScale::kLinear, 5), ElementsAre("0", "5", "10", "15", "20"));
  EXPECT_THAT(labels(0, 60000, AxisScale::kLinear, 3),
              ElementsAre("0", "20\u202F000", "40\u202F000", "60\u202F000"));
  EXPECT_THAT(labels(-0.011, 0.011, AxisScale::kLinear, 3), ElementsAre("-0.01", "0.00", "0.01"));
}

TEST(Ticks, LogarithmicStepsAreFoldsOfTen) {
  EXPECT_THAT(labels(0.6, 14, AxisScale::kLogarithmic, 9), ElementsAre("1", "2", "5", "10"));
  EXPECT_THAT(labels(1e-6, 1e6, AxisScale::kLogarithmic, 6),
              ElementsAre("10⁻⁶", "10⁻⁴", "0.01", "1", "100", "10000", "10⁶"));
  EXPECT_THAT(labels(10, 30, AxisScale::kLogarithmic, 4),
              ElementsAre("10", "15", "20", "25", "30"));
}

TEST(Ticks, ImpossibleRangesHaveNone) {
  EXPECT_TRUE(axis_ticks(1, 1, AxisScale::kLinear, 5).empty());
  EXPECT_TRUE(
      axis_ticks(0, std::numeric_limits<double>::infinity(), AxisScale::kLinear, 5).empty());
  EXPECT_LE(axis_ticks(1e17, 1e17 + 64, AxisScale::kLinear, 5).size(), 12u);  // ends
}

TEST(LabelLayout, SpreadsKeepingOrderAndBounds) {
  const std::vector<double> placed = spread_positions({50, 52, 10, 51}, 10, 0, 60);
  EXPECT_THAT(placed, ElementsAre(40, 60, 10, 50));
}

TEST(LabelLayout, FindsAFreePlaceOrNone) {
  LabelPlaces places({0, 0, 100, 100});
  const auto first = places.place({50, 50}, 20, 10, 5);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->top, 35);
  const auto second = places.place({50, 50}, 20, 10, 5);
  ASSERT_TRUE(second);
  EXPECT_FALSE(first->overlaps(*second));
  places.take({0, 0, 100, 100});
  EXPECT_FALSE(places.place({50, 50}, 20, 10, 5));
}

Chart chart_of(std::vector<ChartSeries> series) {
  Chart chart;
  chart.title = "T <&>";
  chart.x = {.label = "x"};
  chart.y = {.label = "y"};
  chart.series = std::move(series);
  chart.provenance = {"3f9c1a77b2d0"};
  return chart;
}

TEST(Chart, SvgAndPngShowTheSameDrawing) {
  const Chart chart =
      chart_of({{.name = "a & b",
                 .points = {{.x = 1, .y = 2, .y_low = 1.5, .y_high = 2.5, .label = "5 %"},
                            {.x = 3, .y = 1}}}});
  const Canvas canvas = draw_chart(chart);
  const std::string svg = canvas.svg(chart_info(chart));
  EXPECT_TRUE(is_well_formed(svg));
  EXPECT_THAT(svg, HasSubstr("<title>T &lt;&amp;&gt;</title>"));
  EXPECT_THAT(svg, HasSubstr("<desc>y against x: a &amp; b</desc>"));
  EXPECT_THAT(svg, HasSubstr("<point>3f9c1a77b2d0</point>"));
  EXPECT_THAT(svg, HasSubstr("rgb(0%,44.705882%,69.803922%)"));  // the first series' colour
  const DecodedFigure png = decode_figure(canvas.png(chart_info(chart), 2));
  EXPECT_EQ(png.width, 1720);
  EXPECT_EQ(png.height, static_cast<int>(canvas.height_px()) * 2);
}

/// Pixels of a colour, or near to it.
int64_t pixels_of(const Chart& chart, const InkColour& colour) {
  const DecodedFigure png = decode_figure(draw_chart(chart).png({}));
  const auto near = [](double wanted, uint32_t level) {
    return std::abs(wanted * 255 - static_cast<double>(level)) <= 2;
  };
  return std::ranges::count_if(png.pixels, [&](uint32_t pixel) {
    return near(colour.red, pixel >> 16) && near(colour.green, pixel >> 8 & 0xFF) &&
           near(colour.blue, pixel & 0xFF);
  });
}

TEST(Chart, PointsAtOnePlaceStandSideBySideWhereAskedFor) {
  const auto at_one_place = [](bool dodge) {
    Chart chart = chart_of({{.points = {{.x = 1, .y = 1}}},
                            {.points = {{.x = 1, .y = 1}}},
                            {.points = {{.x = 2, .y = 2}}}});
    chart.dodge = dodge;
    return chart;
  };
  EXPECT_LT(2 * pixels_of(at_one_place(false), series_colour(0)),
            pixels_of(at_one_place(true), series_colour(0)));
  // Whoever is alone stays where it is.
  Chart alone = chart_of({{.points = {{.x = 1, .y = 1}, {.x = 2, .y = 2}}}});
  const DecodedFigure before = decode_figure(draw_chart(alone).png({}));
  alone.dodge = true;
  EXPECT_EQ(decode_figure(draw_chart(alone).png({})).pixels, before.pixels);
}

TEST(Chart, APolicyOfOnePointIsSeenAmongTheOthers) {
  const auto with_context = [](bool context) {
    return chart_of({{.points = {{.x = 0, .y = 0}, {.x = 2, .y = 2}}},
                     {.points = {{.x = 1, .y = context ? 0.5 : 1}}, .context = true}});
  };
  const DecodedFigure a = decode_figure(draw_chart(with_context(true)).png({}));
  const DecodedFigure b = decode_figure(draw_chart(with_context(false)).png({}));
  EXPECT_NE(a.pixels, b.pixels);
}

TEST(Chart, EmptyIsWhatShowsNoPoint) {
  EXPECT_TRUE(is_empty(chart_of({})));
  EXPECT_TRUE(is_empty(chart_of({{.points = {{.x = 1, .y = INFINITY}}}})));
  EXPECT_FALSE(is_empty(chart_of({{.points = {{.x = 1, .y = 1}}}})));
}

TEST(Chart, TextOfAReferenceLineWithoutAFreePlaceGoesBelow) {
  Chart chart = chart_of({{.points = {{.x = 0, .y = 0}, {.x = 1, .y = 1}}}});
  chart.references = {{.value = 0.5, .label = "full cache"}};
  EXPECT_THAT(draw_chart(chart).svg({}), testing::Not(HasSubstr("Dashed: ")));
  for (int i = 0; i < 400; ++i) {  // no free spot along the line
    chart.series[0].points.push_back({.x = i / 400.0, .y = i % 2 == 0 ? 0.46 : 0.54});
  }
  EXPECT_THAT(draw_chart(chart).svg({}), HasSubstr("Dashed: full cache."));
}

TEST(Chart, FitsANarrowColumn) {
  Chart chart = chart_of({{.name = "a policy with a long name, window 16",
                           .points = {{.x = 0, .y = 0}, {.x = 2, .y = 2, .label = "10 %"}}}});
  chart.width_px = 240;
  chart.height_px = 180;
  EXPECT_GT(pixels_of(chart, series_colour(0)), 50);
  EXPECT_EQ(draw_chart(chart).width_px(), 240);
}

TEST(Chart, SurvivesWhatCannotBeDrawn) {
  const double infinity = std::numeric_limits<double>::infinity();
  const auto draw = [](const Chart& chart) { return draw_chart(chart).svg(chart_info(chart)); };
  EXPECT_TRUE(is_well_formed(draw(chart_of({}))));
  EXPECT_TRUE(
      is_well_formed(draw(chart_of({{.name = "inf", .points = {{.x = 1, .y = infinity}}}}))));
  EXPECT_TRUE(is_well_formed(draw(chart_of({{.name = "one", .points = {{.x = 0, .y = 0}}}}))));
  Chart logarithmic = chart_of({{.name = "log",
                                 .points = {{.x = -1, .y = 1},
                                            {.x = 0, .y = 1},
                                            {.x = 1, .y = 1, .y_low = -1, .y_high = 3},
                                            {.x = 10, .y = std::nan("")}}}});
  logarithmic.x.scale = logarithmic.y.scale = AxisScale::kLogarithmic;
  EXPECT_TRUE(is_well_formed(draw(logarithmic)));
  std::vector<ChartSeries> many(40, {.name = "s", .points = {{.x = 1, .y = 1}, {.x = 2, .y = 2}}});
  EXPECT_GT(draw_chart(chart_of(many)).height_px(), 40 * 17);  // grows with its legend
}

// Left, top, right and bottom of where two drawings differ; nothing where they do not.
std::optional<LabelBox> difference(const DecodedFigure& a, const DecodedFigure& b) {
  int left = a.width, top = a.height, right = -1, bottom = -1;
  for (int y = 0; y < a.height; ++y) {
    for (int x = 0; x < a.width; ++x) {
      if (a.at(x, y) == b.at(x, y)) continue;
      left = std::min(left, x);
      right = std::max(right, x);
      top = std::min(top, y);
      bottom = std::max(bottom, y);
    }
  }
  if (right < 0) return std::nullopt;
  return LabelBox{static_cast<double>(left), static_cast<double>(top),
                  static_cast<double>(right - left + 1), static_cast<double>(bottom - top + 1)};
}

// Wilson's interval of a share reaches further to the side of 0.5.
TEST(Chart, ErrorBarsGoFromTheirLowToTheirHighEnd) {
  const auto decoded = [](double low, double high) {
    Chart chart = chart_of({{.name = "s",
                             .points = {{.x = 1, .y = 0},
                                        {.x = 2, .y = 2, .y_low = low, .y_high = high},
                                        {.x = 3, .y = 4}},
                             .connected = false}});
    return decode_figure(draw_chart(chart).png(chart_info(chart), 2));
  };
  const double nan = std::nan("");
  const DecodedFigure none = decoded(nan, nan);
  EXPECT_FALSE(difference(none, decoded(nan, nan)));
  const auto above = difference(none, decoded(2, 3));
  const auto below = difference(none, decoded(1, 2));
  const auto both = difference(none, decoded(1, 3));
  ASSERT_TRUE(above && below && both);
  EXPECT_LE(above->top + above->height, below->top + 1);
  EXPECT_NEAR(above->top, both->top, 1);
  EXPECT_NEAR(below->top + below->height, both->top + both->height, 1);
  EXPECT_NEAR(above->height, below->height, 2);
}

TEST(Chart, LabelsOfPointsKeepOffTheLabelOfAReferenceLine) {
  for (const bool vertical : {false, true}) {
    int labelled = 0;
    for (int step = 0; step < 8; ++step) {
      // The point passes the label on the left edge, or the one at the upper end.
      const double x = vertical ? 49 + step : 1.5;
      const double y = vertical ? 98 : 47 + 0.7 * step;
      Chart with = chart_of({{.points = {{.x = 0, .y = 0}, {.x = 100, .y = 100}}},
                             {.points = {{.x = x, .y = y, .label = "25 %"}}}});
      with.references = {{.value = 50, .label = "full cache, 1.2 GiB", .vertical = vertical}};
      Chart without_point_label = with;
      without_point_label.series[1].points[0].label.clear();
      Chart without_reference_label = without_point_label;
      without_reference_label.references[0].label.clear();
      const auto drawn = [](const Chart& chart) {
        return decode_figure(draw_chart(chart).png({}));
      };
      const DecodedFigure bare = drawn(without_point_label);
      const auto point_label = difference(drawn(with), bare);
      const auto reference_label = difference(bare, drawn(without_reference_label));
      ASSERT_TRUE(reference_label);
      if (!point_label) continue;
      ++labelled;
      EXPECT_FALSE(point_label->overlaps(*reference_label)) << x << ", " << y;
    }
    EXPECT_GT(labelled, 5);
  }
}

// Both lines near the corner where their labels usually stand, a point there as well.
TEST(Chart, LabelsOfReferenceLinesKeepOffEachOtherAndThoseOfPoints) {
  for (int step = 0; step < 10; ++step) {
    Chart chart = chart_of(
        {{.points = {{.x = 0, .y = 0}, {.x = 100, .y = 100}}},
         {.points = {{.x = 4, .y = 97.0 - step, .label = "6 tokens, gypj"}}, .connected = false}});
    chart.references = {{.value = 2.0 + step, .label = "full cache, 13 MiB", .vertical = true},
                        {.value = 100 - 0.5 * step, .label = "full cache, 0.91 gypj"}};
    const auto drawn = [](const Chart& one) { return decode_figure(draw_chart(one).png({}, 2)); };
    const DecodedFigure whole = drawn(chart);
    const auto without = [&](auto change) {
      Chart other = chart;
      change(other);
      return drawn(other);
    };
    // Labels are placed in order, so that taking out the last one moves no other.
    const DecodedFigure no_point_label =
        without([](Chart& one) { one.series[1].points[0].label.clear(); });
    const auto no_second = without([](Chart& one) {
      one.series[1].points[0].label.clear();
      one.references[1].label.clear();
    });
    const auto bare = without([](Chart& one) {
      one.series[1].points[0].label.clear();
      one.references[0].label.clear();
      one.references[1].label.clear();
    });
    const auto point = difference(whole, no_point_label);
    const auto second = difference(no_point_label, no_second);
    const auto first = difference(no_second, bare);
    ASSERT_TRUE(first && second) << step;
    EXPECT_FALSE(first->overlaps(*second)) << step;
    if (point) {
      EXPECT_FALSE(point->overlaps(*first)) << step;
      EXPECT_FALSE(point->overlaps(*second)) << step;
    }
  }
}

TEST(Chart, LongCurvesMakeSmallFiles) {
  ChartSeries series{.name = "loss", .markers = false};
  for (int i = 0; i < 200000; ++i)
    series.points.push_back({.x = 1.0 * i, .y = std::sin(i * 12.9898)});
  const Chart chart = chart_of({series});
  EXPECT_LT(draw_chart(chart).svg({}).size(), 300000u);
}

TEST(TradeOff, ChartHasOneLineAPolicyAndTheFullCacheAsReference) {
  const std::vector<TradeOff> points{
      {"snapkv", "10 %", 2, 20}, {"scalekv", "10 %", 2, 25}, {"snapkv", "5 %", 1, 18}};
  const TradeOff full{"full", "", 13, std::numeric_limits<double>::infinity()};
  const Chart chart = trade_off_chart(points, full, {.label = "PSNR", .unit = "dB"});
  ASSERT_EQ(chart.series.size(), 2u);
  EXPECT_EQ(chart.series[0].name, "snapkv");
  EXPECT_EQ(chart.series[0].points[0].x, 1);           // sorted by memory
  EXPECT_EQ(chart.series[0].points[1].label, "10 %");  // dominated, and named all the same
  EXPECT_TRUE(chart.dodge);
  EXPECT_EQ(chart.x.scale, AxisScale::kLogarithmic);
  ASSERT_EQ(chart.references.size(), 1u);  // an infinite PSNR has no line
  EXPECT_EQ(chart.references[0].label, "full cache, 13 MiB");
}

TEST(TradeOff, LowerCanBeBetter) {
  const std::vector<TradeOff> points{
      {"a", "10 %", 2, 20}, {"a", "5 %", 1, 25}, {"b", "5 %", 2, 30}};
  const Chart chart = trade_off_chart(points, {}, {.label = "distance"}, {}, false);
  ASSERT_EQ(chart.frontier.size(), 3u);
  EXPECT_EQ(chart.frontier.front().y, 25);
  EXPECT_EQ(chart.frontier.back().y, 20);
}

TEST(TradeOff, OthersStandBackBehindHighlightedPolicies) {
  const std::vector<TradeOff> points{
      {"snapkv", "10 %", 2, 20}, {"scalekv", "10 %", 2, 25}, {"h2o", "5 %", 1, 18}};
  const Chart chart = trade_off_chart(points, {}, {.label = "PSNR"}, {"h2o", "snapkv"});
  ASSERT_EQ(chart.series.size(), 3u);
  EXPECT_EQ(chart.series[0].name, "h2o");  // the order of the colours
  EXPECT_FALSE(chart.series[1].context);
  EXPECT_EQ(chart.series[2].name, "scalekv");
  EXPECT_TRUE(chart.series[2].context);
  EXPECT_THAT(chart.note, testing::HasSubstr("grey: scalekv."));
  EXPECT_THROW(trade_off_chart(points, {}, {.label = "PSNR"}, {"h20"}), Error);
}

TEST(TradeOff, ManyPoliciesLeaveTheColoursToTheStrongest) {
  std::vector<TradeOff> points;
  const auto colours = static_cast<int>(series_colour_count());
  for (int i = 0; i < colours + 3; ++i) {
    points.push_back({"p" + std::to_string(i), "10 %", 2, 20.0 + i});
  }
  const Chart chart = trade_off_chart(points, {}, {.label = "PSNR"});
  EXPECT_EQ(chart.series[0].name, "p" + std::to_string(colours + 2));
  EXPECT_EQ(std::ranges::count_if(chart.series, [](const ChartSeries& one) { return one.context; }),
            3);
}

}  // namespace
}  // namespace kvscope
