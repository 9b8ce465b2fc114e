#include "experiments/sweep/progress.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>

#include "core/base/console.h"
#include "core/base/mebibytes.h"
#include "experiments/report/text.h"
#include "experiments/terminal.h"

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

void Progress::begin_point(int64_t point,
                           const std::string& label,
                           int64_t images,
                           int64_t images_there,
                           int64_t kv_bytes) {
  at_work_[point] = {.label = label, .images = images, .done = images_there, .kv_bytes = kv_bytes};
  if (terminal_) draw();
}

void Progress::add_images(int64_t point, int64_t images) {
  AtWork& work = at_work_.at(point);
  work.done += images;
  work.made += images;
  made_ += images;
  if (terminal_) {
    draw();
  } else if (Clock::now() - last_line_ > kQuietPeriod) {
    note(point_line(point, 0) + "; " + sweep_line());
  }
}

void Progress::end_point(int64_t point, const std::string& outcome) {
  const AtWork work = at_work_.at(point);
  erase();
  at_work_.erase(point);
  std::string pace;
  if (work.made > 0) {
    pace =
        fmt::format(", {:.2f} s/image", seconds_since(work.start) / static_cast<double>(work.made));
  }
  note(fmt::format("[{}/{}] {}: {}{}{}", point + 1, points_, work.label, outcome, pace,
                   terminal_ ? "" : "; " + sweep_line()));
}

void Progress::put_back(int64_t point) {
  erase();
  at_work_.erase(point);
}

void Progress::note(const std::string& text) {
  erase();
  say("{}", text);
  last_line_ = Clock::now();
}

void Progress::draw() {
  erase();
  const int64_t columns = terminal_columns(STDERR_FILENO);
  for (const auto& [point, work] : at_work_) {
    say("{}", fitted(point_line(point, columns > 1 ? columns - 1 : 0)));
  }
  say_text(fitted(sweep_line()));
}

std::string Progress::fitted(std::string line) {
  // The last column stays free: a line that fills it wraps on some terminals.
  const int64_t columns = terminal_columns(STDERR_FILENO);
  if (columns > 1) line = shortened(line, columns - 1);
  drawn_.push_back(display_width(line));
  return line;
}

void Progress::erase() {
  if (drawn_.empty()) return;
  // A terminal that has become narrower since then has wrapped what was drawn.
  const int64_t columns = std::max<int64_t>(1, terminal_columns(STDERR_FILENO));
  int64_t rows = 0;
  for (const int64_t width : drawn_) {
    rows += columns > 1 ? std::max<int64_t>(1, (width + columns - 1) / columns) : 1;
  }
  say_text(kEraseLine);
  for (int64_t row = 1; row < rows; ++row) say_text(std::string(kLineUp) + kEraseLine);
  drawn_.clear();
}

std::string Progress::point_line(int64_t point, int64_t columns) const {
  constexpr int64_t kLeastOfLabel = 8;
  const AtWork& work = at_work_.at(point);
  std::vector<std::string> numbers = {fmt::format("image {} of {}", work.done, work.images)};
  if (work.made > 0) {
    const double image_s = seconds_since(work.start) / static_cast<double>(work.made);
    numbers.push_back(fmt::format("{:.2f} s/image", image_s));
    const auto left = static_cast<double>(work.images - work.done);
    if (left > 0) numbers.push_back(duration_text(left * image_s) + " left");
  }
  if (work.kv_bytes > 0) numbers.push_back(fmt::format("KV {:.1f} MiB", mebibytes(work.kv_bytes)));
  const std::string place = fmt::format("[{}/{}] ", point + 1, points_);
  const auto width = [&] {
    return display_width(place) + display_width(fmt::format(": {}", fmt::join(numbers, ", ")));
  };
  std::string label = printable(work.label);
  if (columns > 0) {
    while (numbers.size() > 1 && width() + kLeastOfLabel > columns) numbers.pop_back();
    label = shortened(label, std::max<int64_t>(1, columns - width()));
  }
  return fmt::format("{}{}: {}", place, label, fmt::join(numbers, ", "));
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
