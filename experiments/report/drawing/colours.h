#pragma once

#include <cstddef>

namespace kvscope {

/// sRGB, each part in [0, 1].
struct InkColour {
  double red = 0;
  double green = 0;
  double blue = 0;
  double alpha = 1;

  [[nodiscard]] InkColour with_alpha(double new_alpha) const {
    return {red, green, blue, new_alpha};
  }
  /// WCAG relative luminance in [0, 1].
  [[nodiscard]] double luminance() const;
  bool operator==(const InkColour&) const = default;
};

/// 0xRRGGBB.
InkColour colour_of(unsigned rgb);

/// Colours of data series that stay apart under the common kinds of colour blindness and on white
/// (after Okabe & Ito, 2008; their yellow darkened). Repeats after series_colour_count().
InkColour series_colour(size_t index);
size_t series_colour_count();

/// Viridis (van der Walt & Smith, 2015): perceptually uniform, readable in grey. `fraction` in [0,
/// 1], clamped.
InkColour viridis(double fraction);

/// Black or white, whichever reads better on `background`.
InkColour text_colour_on(const InkColour& background);

namespace ink {
inline constexpr InkColour kText{0.13, 0.14, 0.16};
inline constexpr InkColour kSoft{0.36, 0.38, 0.42};
inline constexpr InkColour kMuted{0.66, 0.68, 0.71};
inline constexpr InkColour kGrid{0.90, 0.91, 0.92};
inline constexpr InkColour kPaper{1, 1, 1};
}  // namespace ink

}  // namespace kvscope
