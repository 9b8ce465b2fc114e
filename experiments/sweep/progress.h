#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace kvscope {

/// "45 s", "3 min 20 s", "2 h 05 min".
std::string duration_text(double seconds);

/// How far a sweep is, on stderr: two lines that change in place on a terminal, else one line a
/// point and one every half a minute.
class Progress {
 public:
  /// `images` are those still to be made, in `points` points.
  Progress(int64_t points, int64_t images, bool terminal);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void begin_point(const std::string& label, int64_t images, int64_t images_there);
  void add_images(int64_t images);
  void end_point(const std::string& outcome);
  /// A line that stays, such as a warning.
  void note(const std::string& text);
  [[nodiscard]] int64_t images_made() const { return made_; }

 private:
  using Clock = std::chrono::steady_clock;
  void draw();
  void erase();
  [[nodiscard]] std::string point_line() const;
  [[nodiscard]] std::string sweep_line() const;

  int64_t points_ = 0;
  int64_t images_ = 0;
  bool terminal_ = false;
  bool drawn_ = false;
  int64_t point_ = 0;  // 1-based
  std::string label_;
  int64_t point_images_ = 0;
  int64_t point_done_ = 0;
  int64_t point_made_ = 0;
  int64_t made_ = 0;
  Clock::time_point start_ = Clock::now();
  Clock::time_point point_start_ = Clock::now();
  Clock::time_point last_line_ = Clock::now();
};

}  // namespace kvscope
