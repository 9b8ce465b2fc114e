#include "experiments/judges/reader_rules.h"

#include <algorithm>
#include <array>
#include <span>

#include "experiments/judges/folder_reading.h"
#include "experiments/results/natural_order.h"

namespace kvscope {
namespace {

constexpr std::array<std::string_view, 9> kPictureEndings = {
    ".bmp", ".jpg", ".jpeg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"};
constexpr std::array<std::string_view, 3> kUpperEndings = {".JPEG", ".JPG", ".PNG"};

bool is_flat(std::string_view place) {
  return place.find('/') == std::string_view::npos;
}

bool has_dot_name(std::string_view place) {
  return std::ranges::any_of(parts_of(place),
                             [](std::string_view part) { return part.starts_with('.'); });
}

bool ends_in(std::string_view name, std::span<const std::string_view> endings) {
  return std::ranges::any_of(endings,
                             [&](std::string_view ending) { return name.ends_with(ending); });
}

/// Digits, at least one, and right behind them one of `endings`; more may follow.
bool begins_as_sample(std::string_view name, std::span<const std::string_view> endings) {
  const size_t digits = std::min(name.find_first_not_of("0123456789"), name.size());
  return digits > 0 && std::ranges::any_of(endings, [&](std::string_view ending) {
           return name.substr(digits).starts_with(ending);
         });
}

}  // namespace

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::vector<std::string> naturally_sorted(std::vector<std::string> names) {
  std::ranges::sort(names, [](const auto& a, const auto& b) { return natural_less(a, b); });
  return names;
}

namespace reader_rules {

bool clean_fid(std::string_view place) {
  return !has_dot_name(place) && (ends_in(place, kPictureEndings) ||
                                  ends_in(place, kUpperEndings) || place.ends_with(".npy"));
}

bool pytorch_fid(std::string_view place) {
  return is_flat(place) && ends_in(place, kPictureEndings);
}

bool scalekv_pairs(std::string_view place) {
  return is_flat(place) && (place.ends_with(".png") || place.ends_with(".jpg"));
}

bool heatkv_pairs(std::string_view place) {
  return is_flat(place) && place.ends_with(".png");
}

bool var_npz(std::string_view place) {
  return is_flat(place) && !has_dot_name(place) &&
         (place.ends_with(".png") || place.ends_with(".PNG"));
}

bool geneval_sample(std::string_view place) {
  static constexpr std::array<std::string_view, 1> kEndings = {".png"};
  return is_flat(place) && begins_as_sample(place, kEndings);
}

bool geneval_infinity_sample(std::string_view place) {
  static constexpr std::array<std::string_view, 2> kEndings = {".png", ".jpg"};
  return is_flat(place) && begins_as_sample(place, kEndings);
}

bool hpsv2_style(std::string_view place, int64_t prompts) {
  constexpr size_t kDigits = 5;
  if (place.size() != kDigits + 4 || !place.ends_with(".jpg")) return false;
  const std::string_view digits = place.substr(0, kDigits);
  return is_digits(digits) && std::stoll(std::string(digits)) < prompts;
}

bool fastvar_clip_walk(std::string_view place) {
  const std::string name = ascii_lower(name_of_place(place));
  return name.ends_with(".png") || name.ends_with(".jpg") || name.ends_with(".jpeg");
}

bool llamagen_t2i(std::string_view place) {
  return is_flat(place) && !has_dot_name(place) && place.ends_with(".png");
}

bool llamagen_npz(std::string_view place) {
  constexpr size_t kDigits = 6;
  return place.size() == kDigits + 4 && place.ends_with(".png") &&
         is_digits(place.substr(0, kDigits));
}

}  // namespace reader_rules
}  // namespace kvscope
