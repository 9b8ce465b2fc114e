#pragma once

#include <string>
#include <utility>
#include <vector>

namespace kvscope {

struct PointSummary;

/// How the images of a point were made, whatever the policy: what two numbers have to share to be
/// compared. Read from what the result file holds, so that files of any version have one.
struct Recipe {
  /// ("prompts", "12 of shapes, sha256 0123456789ab"), in order: prompts, texts, seeds,
  /// samples, cfg, tau, top-k, top-p, pixels, picture. What a file does not say is "not recorded".
  std::vector<std::pair<std::string, std::string>> facts{};
  std::string published{};  ///< recipe_title() of the published one that was asked for, or empty

  /// "cfg 3, tau 1, ..." behind what is published.
  [[nodiscard]] std::string text() const;
  /// Whether numbers of both may be compared: by the facts, whatever they are called.
  bool operator==(const Recipe& other) const { return facts == other.facts; }
};

/// From its result, rows and settings, whatever its own `recipe` says.
Recipe recipe_of(const PointSummary& point);

}  // namespace kvscope
