#include "experiments/commands/verify.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/base/clock.h"
#include "core/base/console.h"
#include "core/base/error.h"
#include "core/device/device.h"
#include "experiments/commands/command_registrar.h"
#include "experiments/verify/verify.h"

namespace kvscope {
namespace {

constexpr int kFileError = 3;

/// One file's verdict.
struct Verdict {
  std::string file;
  std::vector<GroupResult> groups;
  double seconds = 0;
  std::optional<std::string> error;  // why it could not be judged

  [[nodiscard]] int64_t failed() const {
    return std::ranges::count_if(groups, [](const GroupResult& group) { return !group.ok; });
  }
};

Verdict judged(const std::string& file, c10::Device device) {
  Verdict verdict{.file = file, .groups = {}, .seconds = 0, .error = std::nullopt};
  const auto start = std::chrono::steady_clock::now();
  try {
    verdict.groups = verify_file(file, device);
  } catch (const Error& error) {
    verdict.error = error.what();
  }
  verdict.seconds = milliseconds_since(start) / 1000;
  return verdict;
}

// Plain columns: names here are short and known, notes come last and may be long.
void print_table(const Verdict& verdict) {
  if (verdict.error) {
    // Both streams in order where they are one terminal.
    std::fflush(stdout);
    say("error: {}", *verdict.error);
    return;
  }
  size_t width = 5;
  for (const GroupResult& group : verdict.groups) width = std::max(width, group.group.size());
  fmt::print("{}\n  {:<{}}  {:>11}  {:>9}  {:<7}  {}\n", verdict.file, "group", width,
             "largest |d|", "tolerance", "verdict", "compared");
  for (const GroupResult& group : verdict.groups) {
    const std::string tolerance =
        group.tolerance == 0 ? "exact" : fmt::format("{:.1e}", group.tolerance);
    if (!group.compared) {
      fmt::print("  {:<{}}  {:>11}  {:>9}  {:<7}  {}\n", group.group, width, "-", "-", "absent",
                 group.note);
      continue;
    }
    fmt::print("  {:<{}}  {:>11}  {:>9}  {:<7}  {}\n", group.group, width,
               fmt::format("{:.3g}", group.largest_difference), tolerance,
               group.ok ? "ok" : "FAILED", group.note);
  }
}

void print_json(const Verdict& verdict) {
  using nlohmann::json;
  json groups = json::array();
  for (const GroupResult& group : verdict.groups) {
    // JSON has no infinity: null, beside "ok": false.
    const json difference =
        std::isfinite(group.largest_difference) ? json(group.largest_difference) : json();
    groups.push_back({{"group", group.group},
                      {"compared", group.compared},
                      {"ok", group.ok},
                      {"largest_difference", difference},
                      {"tolerance", group.tolerance},
                      {"note", group.note}});
  }
  const json line{{"file", verdict.file},
                  {"ok", !verdict.error && verdict.failed() == 0},
                  {"seconds", verdict.seconds},
                  {"groups", groups},
                  {"error", verdict.error ? json(*verdict.error) : json()}};
  fmt::print("{}\n", line.dump(-1, ' ', false, json::error_handler_t::replace));
}

std::string counted(int64_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

}  // namespace

int verify_command(const VerifyOptions& options) {
  if (options.files.empty()) {
    throw Error(ErrorKind::kConfig, "kvscope verify: expected at least one file");
  }
  const c10::Device device = open_device(options.device);
  int64_t failed_groups = 0;
  int64_t unjudged = 0;
  for (const std::string& file : options.files) {
    const Verdict verdict = judged(file, device);
    options.json ? print_json(verdict) : print_table(verdict);
    std::fflush(stdout);
    failed_groups += verdict.failed();
    unjudged += verdict.error ? 1 : 0;
  }
  if (!options.json) {
    if (failed_groups > 0) fmt::print("{} beyond tolerance\n", counted(failed_groups, "group"));
    if (unjudged > 0) fmt::print("{} could not be judged\n", counted(unjudged, "file"));
    if (failed_groups == 0 && unjudged == 0) {
      fmt::print("{} verified\n", counted(std::ssize(options.files), "file"));
    }
  }
  return unjudged > 0 ? kFileError : failed_groups > 0 ? 1 : 0;
}

void register_verify(const CommandRegistrar& registrar) {
  const auto options = std::make_shared<VerifyOptions>();
  CLI::App& command = registrar.add("verify", "recompute golden files from what is inside them",
                                    [options] { return verify_command(*options); });
  command
      .add_option("files", options->files,
                  "safetensors files, JSON files of tokenizer cases or statistics")
      ->required();
  command.add_option("--device", options->device, "cpu, cuda, cuda:N or auto");
  command.add_flag("--json", options->json, "a JSON object per file and line");
}

}  // namespace kvscope
