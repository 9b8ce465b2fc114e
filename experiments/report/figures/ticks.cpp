#include "experiments/report/figures/ticks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "experiments/report/text.h"

namespace kvscope {
namespace {

// "250 000" with narrow no-break spaces.
std::string grouped(double value) {
  std::string digits = fmt::format("{:.0f}", std::abs(value));
  for (size_t at = digits.size(); at > 3;) digits.insert(at -= 3, "\u202F");
  return (value < 0 ? "-" : "") + digits;
}

std::string linear_label(double value, double step) {
  const double size = std::max(std::abs(value), step);
  if (size >= 1e7 || step < 1e-5)
    return fmt::format("{:.3g}", std::abs(value) < step / 2 ? 0 : value);
  const int decimals = std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9)));
  if (std::abs(value) >= 1e4 && decimals == 0) return grouped(value);
  const std::string label = fmt::format("{:.{}f}", value, decimals);
  return label.find_first_of("123456789") == std::string::npos && label[0] == '-' ? label.substr(1)
                                                                                  : label;
}

std::string log_label(double fold, int exponent) {
  if (exponent > -4 && exponent < 5) return fmt::format("{:g}", fold * std::pow(10.0, exponent));
  const std::string power =
      "10" + std::string(exponent < 0 ? "⁻" : "") + superscript(std::abs(exponent));
  return fold == 1 ? power : fmt::format("{:g}·{}", fold, power);
}

std::vector<Tick> linear_ticks(double minimum, double maximum, int wanted) {
  const double step = nice_step(maximum - minimum, wanted);
  std::vector<Tick> ticks;
  const double slack = step * 1e-9;
  const double first = std::ceil((minimum - slack) / step);
  for (int i = 0; i <= 2 * wanted; ++i) {  // bounded: far from zero, first + 1 may equal first
    const double value = (first + i) * step;
    if (value > maximum + slack) break;
    ticks.push_back({value, linear_label(value, step)});
  }
  return ticks;
}

std::vector<Tick> log_ticks(double minimum, double maximum, int wanted) {
  const double decades = std::log10(maximum / minimum);
  if (decades < 0.7) return linear_ticks(minimum, maximum, wanted);
  const bool label_folds = decades * 3 <= wanted + 2;  // 1, 2, 5 of each decade
  const bool minor = decades <= 8;
  const int every = std::max(1, static_cast<int>(std::ceil(decades / wanted)));
  std::vector<Tick> ticks;
  for (int exponent = static_cast<int>(std::floor(std::log10(minimum)));
       exponent <= static_cast<int>(std::ceil(std::log10(maximum))); ++exponent) {
    for (int fold = 1; fold < 10; ++fold) {
      const double value = fold * std::pow(10.0, exponent);
      if (value < minimum * (1 - 1e-9) || value > maximum * (1 + 1e-9)) continue;
      const bool labelled =
          fold == 1 ? exponent % every == 0 : label_folds && (fold == 2 || fold == 5);
      if (labelled) {
        ticks.push_back({value, log_label(fold, exponent)});
      } else if (minor || fold == 1) {
        ticks.push_back({value, ""});
      }
    }
  }
  return ticks;
}

}  // namespace

double nice_step(double range, int wanted) {
  const double rough = range / std::max(1, wanted);
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  for (const double fold : {1.0, 2.0, 5.0}) {
    if (fold * power >= rough * (1 - 1e-9)) return fold * power;
  }
  return 10 * power;
}

std::vector<Tick> axis_ticks(double minimum, double maximum, AxisScale scale, int wanted) {
  if (!(minimum < maximum) || !std::isfinite(minimum) || !std::isfinite(maximum)) return {};
  if (scale == AxisScale::kLogarithmic && minimum > 0) return log_ticks(minimum, maximum, wanted);
  return linear_ticks(minimum, maximum, wanted);
}

}  // namespace kvscope
