#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace kvscope {

struct LeaderboardOptions {
  std::vector<std::filesystem::path> folders{};  ///< each a DIR with points/*/result.h5
  std::filesystem::path to = "leaderboard.html";
  std::string metric{};  ///< that the terminal shows; empty: the first
  std::string title = "Leaderboard";
  bool json = false;  ///< rankings and what is left out, in place of the tables
};

/// One page over several folders: policies ranked within groups of points that compare, the plot,
/// all points, images, and what was left out and why. Prints the rankings by hypervolume and the
/// page's path. The folders are only read. Returns the exit code. Errors: those of
/// read_submissions(), kConfig for a metric that no point has, kEnvironment.
int leaderboard_command(const LeaderboardOptions& options);

}  // namespace kvscope
