#include "experiments/launch/submission.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "core/base/error.h"
#include "core/base/text_file.h"
#include "core/config/format.h"
#include "experiments/sweep/results_folder.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

}  // namespace

int64_t Submission::tasks() const {
  int64_t tasks = 0;
  for (const FrozenPoints::One& one : frozen.points) tasks = std::max(tasks, one.task + 1);
  return tasks;
}

bool Submission::has(const Point& point, int64_t& task) const {
  const auto found =
      std::ranges::find_if(frozen.points, [&](const auto& one) { return one.hash == point.hash; });
  // The hash is not all that is asked for: images and metrics are not part of it.
  if (found == frozen.points.end() ||
      canonical_json(found->config) != canonical_json(point.config)) {
    return false;
  }
  task = found->task;
  return true;
}

Submission new_submission(const LaunchPlace& place,
                          const std::string& kind,
                          std::span<const Point* const> points,
                          int64_t tasks,
                          const std::string& job_name) {
  Submission submission{.frozen = {.root = place.root,
                                   .working_folder = fs::current_path().string(),
                                   .command_line = place.command_line,
                                   .job_name = job_name}};
  const int64_t count = std::ssize(points);
  for (int64_t i = 0; i < count; ++i) {
    submission.frozen.points.push_back(frozen(*points[static_cast<size_t>(i)]));
    submission.frozen.points.back().task = i * std::min(tasks, count) / count;
  }
  const fs::path parent = fs::absolute(place.folder) / kind;
  prepare_results_folder(parent);
  std::error_code error;
  for (int number = 1;; ++number) {
    submission.folder = parent / fmt::format("{:03}", number);
    if (fs::create_directory(submission.folder, error)) break;  // another program may come between
    if (error) refuse_results_folder(submission.folder, error.message());
  }
  write_frozen_points(submission.points_file(), submission.frozen);
  return submission;
}

std::vector<Submission> submissions(const fs::path& folder, const std::string& kind) {
  std::vector<Submission> found;
  std::error_code unknown;
  for (const auto& entry : fs::directory_iterator(fs::absolute(folder) / kind, unknown)) {
    if (!entry.is_directory(unknown)) continue;
    Submission submission{.folder = entry.path()};
    try {
      submission.frozen = read_frozen_points(submission.points_file());
      found.push_back(std::move(submission));
    } catch (const Error&) {
      continue;
    }
  }
  std::ranges::sort(found, {}, &Submission::folder);
  return found;
}

std::vector<std::string> work_words(const LaunchPlace& place, const Submission& submission) {
  std::vector<std::string> words{own_program(), "work", fs::absolute(place.folder).string()};
  for (const std::string& library : place.plugins) {
    words.insert(words.end(), {"--plugin", fs::absolute(library).string()});
  }
  words.insert(words.end(), {"--points", submission.points_file().string(), "--task"});
  return words;
}

std::string own_program() {
  return fs::canonical("/proc/self/exe").string();
}

std::string last_lines(const fs::path& file, int64_t lines) {
  std::string text = text_of_file(file).value_or("");
  while (text.ends_with('\n')) text.pop_back();
  if (text.empty()) return "";
  size_t begin = text.size();
  for (; lines > 0 && begin != std::string::npos; --lines) {
    begin = begin == 0 ? std::string::npos : text.rfind('\n', begin - 1);
  }
  std::string last = "    " + text.substr(begin == std::string::npos ? 0 : begin + 1);
  for (size_t at = last.find('\n'); at != std::string::npos; at = last.find('\n', at + 5)) {
    last.replace(at, 1, "\n    ");
  }
  return last;
}

}  // namespace kvscope
