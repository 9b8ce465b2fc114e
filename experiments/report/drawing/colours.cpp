#include "experiments/report/drawing/colours.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace kvscope {
namespace {

constexpr std::array<unsigned, 8> kSeries{0x0072B2, 0xD55E00, 0x009E73, 0xCC79A7,
                                          0xE69F00, 0x56B4E9, 0x8C6D00, 0x222222};

// Samples of matplotlib's table at 0, 1/16, ..., 1.
constexpr std::array<unsigned, 17> kViridis{
    0x440154, 0x48186A, 0x472D7B, 0x424086, 0x3B528B, 0x33638D, 0x2C728E, 0x26828E, 0x21908C,
    0x1F9F88, 0x27AD81, 0x3EBC74, 0x5CC863, 0x82D34D, 0xAADC32, 0xD5E21A, 0xFDE725};

double linear(double part) {
  return part <= 0.04045 ? part / 12.92 : std::pow((part + 0.055) / 1.055, 2.4);
}

}  // namespace

double InkColour::luminance() const {
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

InkColour colour_of(unsigned rgb) {
  return {((rgb >> 16) & 255u) / 255.0, ((rgb >> 8) & 255u) / 255.0, (rgb & 255u) / 255.0};
}

InkColour series_colour(size_t index) {
  return colour_of(kSeries[index % kSeries.size()]);
}

size_t series_colour_count() {
  return kSeries.size();
}

InkColour viridis(double fraction) {
  const double at = std::clamp(fraction, 0.0, 1.0) * (kViridis.size() - 1);
  const auto low = std::min(static_cast<size_t>(at), kViridis.size() - 2);
  const double weight = at - static_cast<double>(low);
  const InkColour a = colour_of(kViridis[low]);
  const InkColour b = colour_of(kViridis[low + 1]);
  return {a.red + weight * (b.red - a.red), a.green + weight * (b.green - a.green),
          a.blue + weight * (b.blue - a.blue)};
}

InkColour text_colour_on(const InkColour& background) {
  // Contrast against white beats contrast against black below this luminance (WCAG 2.2).
  return background.luminance() < 0.179 ? InkColour{1, 1, 1} : InkColour{0, 0, 0};
}

}  // namespace kvscope
