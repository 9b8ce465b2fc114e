#include "experiments/sweep/progress.h"

#include <fmt/format.h>

#include <cstdio>

namespace kvscope {
namespace {

constexpr auto kQuietPeriod = std::chrono::seconds(30);
constexpr const char* kEraseLine = "\r\x1b[K";
constexpr const char* kLineUp = "\x1b[1A";

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

std::string duration_text(double seconds) {
  const auto whole = static_cast<int64_t>(seconds + 0.5);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

Progress::Progress(int64_t points, int64_t images, bool terminal)
    : points_(points), images_(images), terminal_(terminal) {}

Progress::~Progress() {
  erase();
}

void Progress::begin_point(const std::string& label, int64_t images, int64_t images_there) {
  ++point_;
  label_ = label;
  point_images_ = images;
  point_done_ = images_there;
  point_made_ = 0;
  point_start_ = Clock::now();
  if (terminal_) draw();
}

void Progress::add_images(int64_t images) {
  point_done_ += images;
  point_made_ += images;
  made_ += images;
  if (terminal_) {
    draw();
  } else if (Clock::now() - last_line_ > kQuietPeriod) {
    note(point_line() + "; " + sweep_line());
  }
}

void Progress::end_point(const std::string& outcome) {
  const double seconds = seconds_since(point_start_);
  std::string pace;
  if (point_made_ > 0) {
    pace = fmt::format(", {:.2f} s/image", seconds / static_cast<double>(point_made_));
  }
  note(fmt::format("[{}/{}] {}: {}{}{}", point_, points_, label_, outcome, pace,
                   terminal_ ? "" : "; " + sweep_line()));
}

void Progress::note(const std::string& text) {
  erase();
  fmt::print(stderr, "{}\n", text);
  std::fflush(stderr);
  last_line_ = Clock::now();
}

void Progress::draw() {
  erase();
  fmt::print(stderr, "{}\n{}", point_line(), sweep_line());
  std::fflush(stderr);
  drawn_ = true;
}

void Progress::erase() {
  if (!drawn_) return;
  fmt::print(stderr, "{}{}{}", kEraseLine, kLineUp, kEraseLine);
  std::fflush(stderr);
  drawn_ = false;
}

std::string Progress::point_line() const {
  return fmt::format("[{}/{}] {}: image {} of {}", point_, points_, label_, point_done_,
                     point_images_);
}

std::string Progress::sweep_line() const {
  std::string text = fmt::format("{} of {} images made", made_, images_);
  if (made_ > 0 && made_ < images_) {
    const double left = static_cast<double>(images_ - made_) / static_cast<double>(made_);
    text += ", " + duration_text(seconds_since(start_) * left) + " left";
  }
  return text;
}

}  // namespace kvscope
