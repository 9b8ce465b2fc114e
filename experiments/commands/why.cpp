#include "experiments/commands/why.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/config/hash.h"
#include "experiments/commands/command_registrar.h"
#include "experiments/commands/config_options.h"
#include "experiments/commands/json_output.h"
#include "experiments/commands/plan_table.h"
#include "experiments/report/text.h"
#include "experiments/sweep/known_points.h"
#include "experiments/sweep/point_survey.h"
#include "experiments/sweep/sweep_folder.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

/// A point and what is known of it.
struct Explained {
  std::string hash{};
  std::string title{};
  PointStanding standing{};
};

bool is_hash_prefix(const std::string& word) {
  constexpr size_t kShortest = 2;
  return word.size() >= kShortest && word.size() <= 64 &&
         word.find_first_not_of("0123456789abcdef") == std::string::npos;
}

bool is_override(const std::string& word) {
  return word.find('=') != std::string::npos || word.starts_with('+') || word.starts_with('~');
}

/// Those of `all` whose hash begins with `prefix`; all where that is empty. Throws Error(kConfig)
/// where none does.
std::vector<Explained> beginning_with(const std::string& prefix,
                                      std::vector<Explained> all,
                                      const std::string& where) {
  std::vector<std::string> known;
  known.reserve(all.size());
  for (const Explained& one : all) known.push_back(short_hash(one.hash));
  std::erase_if(all, [&](const Explained& one) {
    return !std::string_view(one.hash).starts_with(prefix.substr(0, one.hash.size()));
  });
  if (!all.empty()) return all;
  constexpr size_t kShown = 8;
  const bool many = known.size() > kShown;
  known.resize(std::min(known.size(), kShown));
  throw Error(ErrorKind::kConfig,
              fmt::format("why {}: no point of {} has a hash that begins so; {}", prefix, where,
                          known.empty() ? "it has none"
                                        : fmt::format("there are {}{}", fmt::join(known, ", "),
                                                      many ? ", ..." : "")));
}

std::vector<Explained> of_folder(const fs::path& folder, const std::string& prefix) {
  const KnownPoints known(folder);
  std::vector<Explained> all;
  for (const KnownPoint& point : known.points()) {
    const bool is_meant = point.hash.starts_with(short_hash(prefix));
    all.push_back({.hash = point.whole_hash.empty() ? point.hash : point.whole_hash,
                   .title = point.title,
                   .standing = is_meant ? known.standing(point) : PointStanding{}});
  }
  return beginning_with(prefix, std::move(all), folder.string());
}

std::vector<Explained> of_command_line(const ConfigArguments& arguments,
                                       const std::string& prefix) {
  const PointList list =
      survey_points(compose_request(arguments), data_root().string(), component_registry(arguments),
                    [](Point& point) { drop_plan(point); })
          .list;
  say_notes(list);
  const fs::path folder = sweep_folder(list, arguments.multirun).path;
  const KnownPoints known(folder);
  std::vector<Explained> all;
  all.reserve(list.points.size());
  for (const Point& point : list.points) {
    all.push_back(
        {.hash = point.hash, .title = point.title(), .standing = known.standing(point, true)});
  }
  return beginning_with(prefix, std::move(all), "this command line");
}

std::string text_of(const Explained& one) {
  const PointStanding& standing = one.standing;
  std::string text =
      fmt::format("{}  {}: {}\n  {}\n", one.hash.empty() ? "-" : short_hash(one.hash),
                  printable(one.title), standing.state_text, printable(standing.reason));
  if (standing.differences.empty()) return text;
  text += fmt::format("  the nearest other point, {}, differs in\n", standing.nearest);
  for (const ContentDifference& difference : standing.differences) {
    text += fmt::format("    {}\n", printable(difference.text()));
  }
  return text;
}

ordered_json json_of(const Explained& one) {
  const PointStanding& standing = one.standing;
  ordered_json differences = ordered_json::array();
  for (const ContentDifference& difference : standing.differences) {
    differences.push_back(
        {{"key", difference.key}, {"before", difference.before}, {"now", difference.now}});
  }
  return {{"hash", one.hash.empty() ? ordered_json() : ordered_json(one.hash)},
          {"title", one.title},
          {"state", standing.state_text.substr(0, standing.state_text.find(' '))},
          {"why", standing.reason},
          {"nearest", standing.nearest.empty() ? ordered_json() : ordered_json(standing.nearest)},
          {"differences", std::move(differences)}};
}

}  // namespace

int why_command(ConfigArguments arguments, const WhyOptions& options) {
  std::vector<std::string> words = arguments.overrides;
  std::string prefix;
  if (!words.empty() && is_hash_prefix(words.front())) {
    prefix = words.front();
    words.erase(words.begin());
  }
  std::vector<Explained> explained;
  if (words.size() == 2 && !is_override(words[0]) && !is_override(words[1])) {
    throw Error(ErrorKind::kConfig,
                fmt::format("why {0} {1}: no point's hash begins with '{0}', which has digits from "
                            "0 to 9 and a to f; the points of the folder: kvscope why {1}",
                            words[0], words[1]));
  }
  const bool has_folder = words.size() == 1 && !is_override(words.front());
  if (has_folder) {
    std::error_code unknown;
    if (!fs::is_directory(words.front(), unknown)) {
      throw Error(ErrorKind::kInput,
                  fmt::format("why {}: no such results folder; expected kvscope why HASH DIR, or "
                              "kvscope why [HASH] [-m] OVERRIDES",
                              words.front()));
    }
    explained = of_folder(words.front(), prefix);
  } else {
    arguments.overrides = std::move(words);
    explained = of_command_line(arguments, prefix);
  }
  if (options.json) {
    ordered_json points = ordered_json::array();
    for (const Explained& one : explained) points.push_back(json_of(one));
    print_json({{"points", std::move(points)}});
    return 0;
  }
  for (const Explained& one : explained) fmt::print("{}", text_of(one));
  return 0;
}

void register_why(const CommandRegistrar& registrar) {
  const auto config = std::make_shared<ConfigArguments>();
  const auto options = std::make_shared<WhyOptions>();
  CLI::App& command = registrar.add("why", "why a point is new, or that it is reused",
                                    [=] { return why_command(*config, *options); });
  add_config_options(command, *config);
  command.footer(
      "kvscope why HASH DIR: a point of a results folder, by the beginning of its hash; "
      "kvscope why [HASH] and the words of kvscope plan: points of a command line.");
  add_json_flag(command, options->json);
}

}  // namespace kvscope
