#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace kvscope {

/// "45 s", "3 min 20 s", "2 h 05 min".
std::string duration_text(double seconds);

/// How far a sweep is, on stderr: on a terminal a line of every point at work (images, seconds of
/// one, time left, planned KV bytes) and one of the whole that change in place, else one line a
/// finished point and one every half a minute. Points are numbered from 0; any number of them may
/// be at work.
class Progress {
 public:
  /// `images` are those still to be made, in `points` points. `terminal`: standard error takes
  /// escape sequences.
  Progress(int64_t points, int64_t images, bool terminal);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `kv_bytes`: that its plan says a batch holds; 0: not told.
  void begin_point(int64_t point,
                   const std::string& label,
                   int64_t images,
                   int64_t images_there,
                   int64_t kv_bytes = 0);
  void add_images(int64_t point, int64_t images);
  void end_point(int64_t point, const std::string& outcome);
  /// A point that was begun is not made here after all: no line of it stays.
  void put_back(int64_t point);
  /// So many images are no longer to be made.
  void leave_out(int64_t images) { images_ -= images; }
  /// A line that stays, such as a warning.
  void note(const std::string& text);
  [[nodiscard]] int64_t images_made() const { return made_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct AtWork {
    std::string label{};
    int64_t images = 0;
    int64_t done = 0;
    int64_t made = 0;  ///< of these, now
    int64_t kv_bytes = 0;
    Clock::time_point start = Clock::now();
  };

  void draw();
  /// A line that changes in place, cut to the terminal.
  std::string fitted(std::string line);
  void erase();
  /// In `columns` columns, or any number for 0: the label gives way before the numbers do.
  [[nodiscard]] std::string point_line(int64_t point, int64_t columns) const;
  [[nodiscard]] std::string sweep_line() const;

  int64_t points_ = 0;
  int64_t images_ = 0;
  bool terminal_ = false;
  std::vector<int64_t> drawn_;  // columns of each line on the terminal
  std::map<int64_t, AtWork> at_work_;
  int64_t made_ = 0;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_line_ = Clock::now();
};

}  // namespace kvscope
