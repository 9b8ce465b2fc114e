#include "experiments/commands/attention/attention_record.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <optional>
#include <string_view>
#include <utility>

#include "analysis/attention/attention_file.h"
#include "analysis/attention/attention_recorder.h"
#include "analysis/attention/statistic_registry.h"
#include "core/base/clock.h"
#include "core/base/console.h"
#include "core/base/error.h"
#include "core/base/mebibytes.h"
#include "core/base/output_check.h"
#include "core/base/set_aside.h"
#include "core/base/sha256.h"
#include "core/config/hash.h"
#include "core/device/device.h"
#include "core/models/token_agreement.h"
#include "experiments/commands/unread_overrides.h"
#include "experiments/recording/record_settings.h"
#include "experiments/sweep/generation_session.h"
#include "experiments/sweep/interrupt.h"
#include "experiments/sweep/point.h"
#include "experiments/sweep/progress.h"
#include "experiments/sweep/prompt_check.h"
#include "experiments/terminal.h"
#include "policies/registry.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

void check_raw_heads(const AttentionRecorderOptions& what, const CacheGeometry& cache) {
  check_part(what.part, cache);
  for (const auto& [layer, head] : what.raw_heads) {
    if (layer >= 0 && layer < cache.layers && head >= 0 && head < cache.heads) {
      const bool has_layer = what.part.layers.contains(layer);
      if (has_layer && what.part.heads.contains(head)) continue;
      throw Error(ErrorKind::kConfig,
                  fmt::format("--raw {}:{}: lies outside the {} that are kept: {}", layer, head,
                              has_layer ? "heads" : "layers",
                              (has_layer ? what.part.heads : what.part.layers).text()));
    }
    throw Error(ErrorKind::kConfig,
                fmt::format("--raw {}:{}: the model has layers 0..{} and heads 0..{}", layer, head,
                            cache.layers - 1, cache.heads - 1));
  }
}

/// Throws where a choice is about maps that are not recorded.
void check_maps(const AttentionRecorderOptions& what,
                const std::vector<RegisteredStatistic>& chosen) {
  const AttentionRecorderOptions usual;
  const auto refuse = [](const char* key, const char* remedy) {
    throw Error(ErrorKind::kConfig,
                fmt::format("record.{} is not read: it is of maps, and none are recorded. Try {}",
                            key, remedy));
  };
  const auto records = [&](const char* name) {
    return std::ranges::find(chosen, name, &RegisteredStatistic::name) != chosen.end();
  };
  if (!records("map.raw")) {
    if (!what.raw_at.empty()) refuse("raw_at", "--raw 0:0");
    if (what.raw_queries != usual.raw_queries) refuse("raw_queries", "--raw 0:0");
  }
  if (records("map.query") && !what.part.steps.is_all()) {
    throw Error(ErrorKind::kConfig,
                "record.query_maps: maps of queries are of all steps; leave out --steps");
  }
  if (!records("map.query")) {
    if (what.map_query_side != usual.map_query_side) refuse("query_side", "--query-maps");
    if (what.map_key_side != usual.map_key_side) refuse("key_side", "--query-maps");
  }
}

/// A hash of everything that a record is of and is made with, but for the number of prompts.
std::string recording_of(const Point& point,
                         const AttentionRecorderOptions& what,
                         const std::vector<RegisteredStatistic>& chosen) {
  std::string text =
      fmt::format("{} {} {} {} {} {}", point.hash, point.generation.replicas, what.top_keys,
                  what.sampled_queries, what.window_queries, what.raw_queries);
  for (const std::string& name : what.statistics) text += " " + name;
  if (names_a_set(what.statistics)) {  // which may hold more one day
    for (const RegisteredStatistic& one : chosen) text += " " + one.name;
  }
  for (const auto& [layer, head] : what.raw_heads) text += fmt::format(" {}:{}", layer, head);
  if (!what.raw_at.empty()) text += " at " + what.raw_at.text();
  text += fmt::format(" of {}; {}; {} {}", what.part.layers.text(), what.part.heads.text(),
                      what.part.steps.text(), what.per_image_numbers);
  if (std::ranges::find(chosen, "map.query", &RegisteredStatistic::name) != chosen.end()) {
    text += fmt::format(" maps {} {}", what.map_query_side, what.map_key_side);
  }
  return sha256_hex(text);
}

std::string summary_line(const fs::path& out, const AttentionRecord& record) {
  return fmt::format("{}: {}, {} layers x {} heads x {} steps\n", out.string(),
                     record.images_text(), record.layers, record.heads, record.steps.size());
}

/// Whether `out` holds the record already; what it lacks goes on from `kept`, or is made anew where
/// there is no such file. Throws Error(kConfig) where it holds anything else.
bool is_recorded(const fs::path& out,
                 const fs::path& kept,
                 const std::string& recording,
                 int64_t images) {
  if (!fs::exists(fs::symlink_status(out))) return false;
  const std::string advice = "choose another file with --out, or remove it";
  AttentionRecord record;
  try {
    record = read_attention(out);
  } catch (const Error& error) {
    throw Error(ErrorKind::kConfig,
                fmt::format("--out {}: holds no record that can be read ({}); {}", out.string(),
                            error.what(), advice));
  }
  if (record.recording != recording) {
    throw Error(
        ErrorKind::kConfig,
        fmt::format("--out {}: holds a record of another configuration (model {}, {} images, "
                    "point {}); {}",
                    out.string(), record.model, record.images, short_hash(record.point_hash),
                    advice));
  }
  if (record.images == images) {
    say("recorded already");
    std::error_code ignored;
    fs::remove(kept, ignored);
    fmt::print("{}", summary_line(out, record));
    return true;
  }
  if (!fs::exists(kept)) {
    say("{} holds {} images of this; {} are recorded anew and take their place", out.string(),
        record.images, images);
  }
  return false;
}

/// The recording that an earlier run has left, if there is one; what is damaged is set aside.
void go_on_with(const fs::path& kept,
                const std::string& recording,
                const Point& point,
                AttentionRecorder& recorder,
                const AttentionRecorderOptions& what) {
  if (!fs::exists(kept)) return;
  try {
    recorder.restore(kept, recording, point.plan.geometry());
    if (recorder.images() <= point.images()) return;
    say("{} has {} images, {} are asked for: they are recorded anew", kept.string(),
        recorder.images(), point.images());
  } catch (const Error& error) {
    if (std::string(error.what()).find("another recording") != std::string::npos) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("{}; choose another file with --out, or remove it", error.what()));
    }
    say("{} is damaged and set aside as {}: {}", kept.string(), set_aside(kept).string(),
        error.what());
  }
  recorder = AttentionRecorder(what);
}

/// How the tokens of every image agree with those that a full cache makes; where none were made
/// for that, they are these.
std::vector<std::vector<StepAgreement>> agreements_of(const Point& point, const MadeBatch& made) {
  const auto& tokens = made.generated.tokens;
  const auto& others = made.full_cache_tokens.empty() ? tokens : made.full_cache_tokens;
  std::vector<std::vector<StepAgreement>> agreements;
  for (size_t image = 0; image < tokens.size(); ++image) {
    agreements.push_back(token_agreement(point.facts.cache, tokens[image], others[image]));
  }
  return agreements;
}

/// What recording took beside the generation itself.
struct RecordingCost {
  double all_ms = 0;        ///< batches that succeeded, watched
  double recording_ms = 0;  ///< of it, for watching and for the images of a full cache

  void say_of(const AttentionRecorder& recorder) const {
    const double plain_ms = all_ms - recording_ms;
    if (plain_ms <= 0) return;
    say("recording took {:.2f} times the time of generating alone, {:.2f} in all, and holds {:.0f} "
        "MiB",
        recording_ms / plain_ms, all_ms / plain_ms, mebibytes(recorder.held_bytes()));
  }
};

/// Keeps a recording often enough that little is lost, and seldom enough that keeping it takes a
/// tenth of the time at most: what to go on with, and the record so far, for whoever wants to look.
/// Images count as made once they are kept.
class Keeper {
 public:
  Keeper(AttentionRecorder& recorder,
         const Point& point,
         fs::path out,
         fs::path place,
         std::string recording)
      : recorder_(recorder),
        point_(point),
        out_(std::move(out)),
        place_(std::move(place)),
        recording_(std::move(recording)),
        kept_images_(recorder.images()) {}

  /// Returns how many more images are kept now.
  int64_t keep(bool at_once) {
    if (recorder_.images() == kept_images_) return 0;
    if (!at_once && milliseconds_since(kept_at_) < 9 * took_ms_) return 0;
    const auto start = std::chrono::steady_clock::now();
    recorder_.save(place_, recording_);
    write_attention(out_, record());
    took_ms_ = milliseconds_since(start);
    kept_at_ = std::chrono::steady_clock::now();
    return recorder_.images() - std::exchange(kept_images_, recorder_.images());
  }

  /// Images made since.
  [[nodiscard]] int64_t not_kept() const { return recorder_.images() - kept_images_; }
  /// What there is of it.
  [[nodiscard]] AttentionRecord record() const {
    AttentionRecord record = recorder_.record();
    record.model = point_.facts.name;
    record.point_hash = point_.hash;
    record.recording = recording_;
    record.asked_images = point_.images();
    return record;
  }

 private:
  AttentionRecorder& recorder_;
  const Point& point_;
  fs::path out_;
  fs::path place_;
  std::string recording_;
  int64_t kept_images_;
  double took_ms_ = 0;
  std::chrono::steady_clock::time_point kept_at_{};
};

}  // namespace

int attention_record_command(const ConfigArguments& arguments,
                             const fs::path& out,
                             const std::string& command_line) {
  if (arguments.multirun) {
    throw Error(ErrorKind::kConfig, "attention record takes one point, not a sweep (-m)");
  }
  constexpr std::string_view kUnread[] = {"launcher",   "launch", "workers",      "metrics",
                                          "infeasible", "name",   "hydra.run.dir"};
  const RecordOverrides overrides = split_record_overrides(arguments.overrides);
  refuse_unread_overrides(overrides.of_point, "attention record", kUnread);
  const std::string root = data_root().string();
  ConfigArguments of_point = arguments;
  of_point.overrides = overrides.of_point;
  PointList list = list_points(compose_request(of_point), root, PointIdentity::kHashed,
                               component_registry(arguments));
  say_notes(list);
  check_prompts(list.points, root);
  constexpr std::string_view kEndings[] = {".h5", ".hdf5"};
  check_output(out, "--out", kEndings);
  const Point& point = list.points.front();
  AttentionRecorderOptions what = recording_settings(arguments, overrides.of_record);
  what.guided = point.generation.rows(1) == 2;
  check_raw_heads(what, point.facts.cache);
  const std::vector<RegisteredStatistic> chosen = chosen_statistics(what, point.facts.cache.steps);
  check_maps(what, chosen);
  const std::string recording = recording_of(point, what, chosen);
  fs::path kept = out;
  kept += ".part.safetensors";
  if (is_recorded(out, kept, recording, point.images())) return 0;
  AttentionRecorder recorder(what);
  recorder.begin_model(point.plan.geometry());  // and what it refuses, before a weight is loaded
  go_on_with(kept, recording, point, recorder, what);
  const at::Device device = open_device(point.config.at("device").as_string());
  const auto model = open_model(point.config.at("model"), root, device);
  const InterruptGuard interrupt(
      "stopping as soon as the batch at work is done and kept; Ctrl-C again stops at once, and "
      "only that batch is made again");
  Progress progress(1, point.images() - recorder.images(), takes_escapes(STDERR_FILENO));
  progress.begin_point(0, "attention of " + point.facts.name, point.images(), recorder.images());
  Keeper keeper(recorder, point, out, kept, recording);
  GenerationSession session(point, *model, device);
  const bool compares = std::ranges::any_of(chosen, [&](const RegisteredStatistic& one) {
    return one.make(what)->info().needs.full_images;
  });
  const FullCacheImages full_cache =
      compares && !point.full_cache ? FullCacheImages::kMade : FullCacheImages::kNone;
  int64_t batch = point.generation.batch;
  RecordingCost cost;
  while (recorder.images() < point.images()) {
    const int64_t first = recorder.images();
    std::vector<uint64_t> images(static_cast<size_t>(std::min(batch, point.images() - first)));
    std::iota(images.begin(), images.end(), static_cast<uint64_t>(first));
    std::vector<std::string> texts;
    texts.reserve(images.size());
    for (const uint64_t image : images) texts.push_back(point.prompt_of(image).text);
    recorder.add_prompts(texts);
    const auto start = std::chrono::steady_clock::now();
    const double observed_before_ms = recorder.observing_ms();
    const std::optional<MadeBatch> made =
        session.make_if_memory_suffices(images, {&recorder}, full_cache);
    if (!made) {
      batch = std::ssize(images) / 2;
      progress.note(fmt::format("memory does not suffice for {} images at once: going on with {}",
                                images.size(), batch));
      recorder = AttentionRecorder(what);  // what it saw of the batch is not whole
      go_on_with(kept, recording, point, recorder, what);
      continue;
    }
    cost.all_ms += milliseconds_since(start);
    cost.recording_ms += recorder.observing_ms() - observed_before_ms + made->full_cache_ms;
    recorder.add_agreements(agreements_of(point, *made));
    recorder.add_images(made->generated.images);
    const bool is_last = recorder.images() == point.images();
    const bool stops = interrupt.requested() && !is_last;
    if (!is_last) progress.add_images(0, keeper.keep(stops));
    if (!stops) continue;
    progress.note(
        fmt::format("interrupted; {} of {} images are kept in {}. The same command goes "
                    "on:\n  {}",
                    recorder.images(), point.images(), kept.string(), command_line));
    constexpr int kInterrupted = 130;
    return kInterrupted;
  }
  const AttentionRecord record = keeper.record();
  write_attention(out, record);
  progress.add_images(0, keeper.not_kept());
  progress.end_point(0, "recorded");
  cost.say_of(recorder);
  std::error_code ignored;
  fs::remove(kept, ignored);
  fmt::print("{}", summary_line(out, record));
  return 0;
}

}  // namespace kvscope
