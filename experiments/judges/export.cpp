#include "experiments/judges/export.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/base/sha256.h"
#include "experiments/judges/export_writer.h"
#include "experiments/judges/judge_card.h"
#include "experiments/judges/judge_text.h"
#include "experiments/results/read_sweep.h"
#include "experiments/version.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

constexpr size_t kShownMissing = 10;

/// The point, its partner, its images, and which of them go out.
struct ExportSource {
  PointSummary point{};
  std::optional<PointSummary> base{};
  PromptList list{};
  std::map<std::string, std::string> rewritten{};
  MatchedImages images{};
  std::vector<size_t> chosen{};  ///< of images.prompts, those that have pictures
  int64_t samples = 1;           ///< of a prompt
  std::string size{};

  [[nodiscard]] fs::path file_of(const ImageTile& tile) const {
    const std::pair key(chosen[tile.prompt], tile.sample);
    return tile.source == ImageSource::kBase
               ? image_path(base->folder, images.base_rows.at(key)->image_index)
               : image_path(point.folder, images.rows.at(key)->image_index);
  }
};

constexpr int kJpegQuality = 95;

/// What can be said of the options without looking at a point.
void check_options(const Judge& judge, const ExportOptions& options) {
  require_samples(options.samples);
  const auto& choices = judge.sample_choices;
  if (options.samples && !choices.empty() &&
      std::ranges::find(choices, *options.samples) == choices.end()) {
    throw Error(ErrorKind::kConfig,
                fmt::format("--samples {}: {} takes {} a prompt", *options.samples, judge.title,
                            fmt::join(choices, " or ")));
  }
  const int quality = options.jpeg_quality.value_or(kJpegQuality);
  if (quality < 1 || quality > 100) {
    throw Error(ErrorKind::kConfig, fmt::format("--jpeg-quality {}: expected 1 to 100", quality));
  }
  struct Unread {
    const char* option;
    bool is_given;
    bool is_read;
    const char* why;
  };
  for (const Unread& one :
       {Unread{"--order", options.is_shuffled.has_value(), judge.is_archive,
               "its pictures are files with names of their own"},
        Unread{"--shuffle-seed", options.shuffle_seed.has_value(), judge.is_archive,
               "its pictures are files with names of their own"},
        Unread{"--jpeg-quality", options.jpeg_quality.has_value(), judge.codec == "jpeg",
               "it reads the pixels as they are"},
        Unread{"--name", !options.name.empty(), judge.names_model,
               "no folder of its layout has a model's name"},
        Unread{"--base", !options.base.empty(), judge.needs_base, "it reads no pairs"}}) {
    if (!one.is_given || one.is_read) continue;
    throw Error(ErrorKind::kConfig, fmt::format("{}: {} has no use for it, {}; leave it out",
                                                one.option, judge.title, one.why));
  }
}

int64_t samples_of(const Judge& judge, const ExportOptions& options, const PointSummary& point) {
  const int64_t own =
      judge.samples == kAllSamples ? std::max<int64_t>(1, point.point().replicas) : judge.samples;
  return options.samples.value_or(own);
}

/// A name of one file: letters, digits, dots, dashes and underscores of `text`.
std::string file_name(const std::string& text) {
  std::string name;
  for (const char c : text) {
    const bool is_plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' ||
                          c == '-' || c == '_' || c == '%';
    if (c == '%') continue;
    if (is_plain) name += c;
    if (c == ' ' && !name.empty() && name.back() != '-') name += '-';
  }
  while (name.ends_with('-') || name.ends_with('.')) name.pop_back();
  return name.empty() || name.starts_with('.') ? "model" : name;
}

std::string model_name(const Judge& judge,
                       const ExportOptions& options,
                       const PointSummary& point) {
  if (!options.name.empty()) {
    if (file_name(options.name) == options.name) return options.name;
    throw Error(ErrorKind::kConfig,
                fmt::format("--name {}: expected a name of letters, digits, - _ "
                            ".; did you mean --name {}?",
                            options.name, file_name(options.name)));
  }
  std::string model = point.point().label("model");
  if (judge.needs_base) {
    constexpr std::string_view kInfinity = "infinity_";
    return file_name(model.starts_with(kInfinity) ? model.substr(kInfinity.size()) : model);
  }
  return file_name(
      fmt::format("{} {} {}", model, point.point().label("policy"), point.point().label("budget")));
}

/// Drops prompts without pictures, and what would be a picture with black tiles.
void choose_prompts(const Judge& judge, int64_t samples, ExportSource& source) {
  source.chosen.clear();
  for (size_t i = 0; i < source.images.prompts.size(); ++i) {
    const auto found = std::ssize(source.images.prompts[i].samples);
    if (found >= (judge.needs_all_samples ? samples : 1)) source.chosen.push_back(i);
  }
}

ExportPlan plan_of(const Judge& judge, const ExportOptions& options, const ExportSource& source) {
  std::string folder = options.out.generic_string();
  while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  PlanRequest request{.name = model_name(judge, options, source.point),
                      .folder = folder,
                      .shuffled = options.is_shuffled.value_or(true),
                      .shuffle_seed = options.shuffle_seed.value_or(0)};
  for (const size_t prompt : source.chosen) {
    request.prompts.push_back(source.images.prompts[prompt]);
  }
  ExportPlan plan = judge.plan(request);
  const std::vector<std::string> places = plan.places();
  std::set<std::string> seen;
  for (const std::string& place : places) {
    if (seen.insert(place).second) continue;
    throw Error(ErrorKind::kConfig, fmt::format("{} would be written twice: is the prompt list one "
                                                "for {}?",
                                                place, judge.title));
  }
  return plan;
}

/// Takes an image that cannot be read out of what is exported.
void drop(ExportSource& source, const ImageTile& tile, const std::string& why) {
  ExportedPrompt& prompt = source.images.prompts[source.chosen[tile.prompt]];
  const auto found = std::ranges::find(prompt.samples, tile.sample);
  if (found == prompt.samples.end()) return;  // its partner went before
  source.images.missing.push_back(fmt::format("{}, sample {} ('{}'): {}", prompt.prompt.where,
                                              tile.sample, prompt.prompt.text, why));
  prompt.seeds.erase(prompt.seeds.begin() + (found - prompt.samples.begin()));
  prompt.samples.erase(found);
}

[[noreturn]] void refuse_missing(const Judge& judge, const ExportSource& source, int64_t samples) {
  const std::vector<std::string>& missing = source.images.missing;
  std::string text =
      fmt::format("{} of {} pictures are missing, so nothing is written:", missing.size(),
                  static_cast<int64_t>(source.images.prompts.size()) * samples);
  for (size_t i = 0; i < std::min(missing.size(), kShownMissing); ++i) text += "\n  " + missing[i];
  if (missing.size() > kShownMissing) {
    text += fmt::format("\n  ... and {} more", missing.size() - kShownMissing);
  }
  const int64_t replicas = source.point.point().replicas;
  if (samples > replicas) {
    text += fmt::format(
        "\nThe point has {} of {} samples a prompt: gen.replicas={} adds the rest, or "
        "--samples {}",
        replicas, samples, samples, replicas);
  } else {
    text += fmt::format(
        "\nkvscope judge prompts {} --prompts FILE writes the list for prompts.file=; "
        "--partial leaves out what is missing",
        judge.name);
  }
  for (const std::string& note : source.images.notes) text += "\n" + note;
  throw Error(ErrorKind::kInput, text);
}

std::string codec_of(const Judge& judge, const ExportOptions& options, const ExportPlan& plan) {
  if (plan.archive) return "none";
  return judge.codec == "jpeg" ? fmt::format("JPEG {}", options.jpeg_quality.value_or(kJpegQuality))
                               : "PNG";
}

std::string file_digest(const fs::path& file) {
  std::error_code unknown;
  return fs::is_regular_file(file, unknown) ? sha256_hex(judge_file_text(file)) : "";
}

void write_card(const Judge& judge,
                const ExportOptions& options,
                const ExportSource& source,
                const ExportPlan& plan,
                const RecipeAdditions& additions,
                const fs::path& path) {
  JudgeJson card;
  card["schema"] = "kvscope.judge_card";
  card["version"] = 1;
  card["judge"] = judge.name;
  card["repository"] = judge.repository;
  card["commit"] = judge.commit;
  card["point"] = source.point.point().point_hash;
  if (source.base) card["base_point"] = source.base->point().point_hash;
  card["results"] = fs::absolute(options.folder).lexically_normal().string();
  card["labels"] = JudgeJson::object();
  for (const auto& [key, value] : source.point.point().labels) card["labels"][key] = value;
  card["recipe"] = JudgeJson::object();
  for (const auto& [key, value] : judge_recipe(source.point, source.size, additions)) {
    card["recipe"][key] = value;
  }
  card["prompt_files"] = JudgeJson::array();
  for (const fs::path& file : source.list.files) {
    card["prompt_files"].push_back({{"file", file.string()}, {"sha256", file_digest(file)}});
  }
  card["prompt_list_sha256"] = source.list.sha256;
  card["rewritten_file"] = options.rewritten.string();
  card["rewritten_sha256"] = options.rewritten.empty() ? "" : file_digest(options.rewritten);
  card["pictures"] = plan.archive ? plan.archive->tiles.size() : plan.pictures.size();
  if (!plan.order.empty()) card["order"] = plan.order;
  card["missing"] = source.images.missing;
  card["listing_sha256"] = sha256_hex(fmt::format("{}", fmt::join(plan.places(), "\n")));
  card["program"] = std::string("kvscope ") + kVersion;
  card["command_line"] = options.command_line;
  card["written"] = utc_time(std::chrono::duration_cast<std::chrono::seconds>(
                                 std::chrono::system_clock::now().time_since_epoch())
                                 .count());
  write_file_atomically(path, card.dump(2, ' ', false, JudgeJson::error_handler_t::replace) + "\n");
}

ExportSource source_of(const Judge& judge, const ExportOptions& options) {
  if (judge.needs_prompts && options.prompts.empty()) {
    throw Error(ErrorKind::kConfig, fmt::format("{} needs its prompt list: --prompts names {}",
                                                judge.title, judge.prompt_files));
  }
  const SweepSummary sweep = read_sweep(options.folder);
  ExportSource source{.point = chosen_point(sweep, options.choice)};
  source.samples = samples_of(judge, options, source.point);
  if (judge.needs_base) source.base = base_point(sweep, source.point, options.base);
  source.list = prompt_list_of(judge, options.prompts);
  if (!options.rewritten.empty()) source.rewritten = read_rewritten(options.rewritten);
  source.images = matched_images(source.point, source.base ? &*source.base : nullptr, source.list,
                                 source.rewritten, source.samples);
  return source;
}

}  // namespace

PromptList prompt_list_of(const Judge& judge, const fs::path& path) {
  if (path.empty()) return {};
  PromptList list = judge.read_prompts(path);
  complete_prompt_list(list);
  return list;
}

ExportSummary export_for(const Judge& judge,
                         const ExportOptions& options,
                         const std::function<bool()>& stop_asked) {
  check_options(judge, options);
  refuse_existing(options.out, "--to");
  fs::path out = options.out.lexically_normal();
  if (!out.has_filename()) out = out.parent_path();
  refuse_existing(card_path(out), "the card of");
  ExportSource source = source_of(judge, options);
  const int64_t samples = source.samples;
  const TileFile file_of = [&](const ImageTile& tile) { return source.file_of(tile); };
  choose_prompts(judge, samples, source);
  ExportPlan plan = plan_of(judge, options, source);
  std::vector<std::pair<ImageTile, std::string>> unreadable;
  const PictureSize size = check_tiles(
      plan, file_of,
      [&](const ImageTile& tile, const std::string& why) { unreadable.emplace_back(tile, why); });
  for (const auto& [tile, why] : unreadable) drop(source, tile, why);
  const auto missing = std::ssize(source.images.missing);
  if (missing > 0 && !options.is_partial) refuse_missing(judge, source, samples);
  if (!unreadable.empty()) {
    choose_prompts(judge, samples, source);
    plan = plan_of(judge, options, source);
  }
  if (plan.pictures.empty() && (!plan.archive || plan.archive->tiles.empty())) {
    refuse_missing(judge, source, samples);
  }
  source.size = fmt::format("{} x {}", size.width, size.height);
  ExportSummary summary{
      .out = out,
      .card = card_path(out),
      .point = source.point.point().point_hash,
      .places = plan.places(),
      .pictures = std::ssize(plan.archive ? plan.archive->tiles : std::vector<ImageTile>()) +
                  std::ssize(plan.pictures),
      .prompts = std::ssize(source.chosen),
      .missing = missing,
      .notes = source.images.notes};
  if (judge.full_prompts > 0 && std::ssize(source.images.prompts) != judge.full_prompts) {
    summary.notes.push_back(fmt::format("{} prompts; the published list has {}",
                                        source.images.prompts.size(), judge.full_prompts));
  }
  const bool is_single = plan.archive.has_value() && out.extension() == ".npz";
  summary.is_stopped = !write_export(
      plan, size, file_of, out, is_single,
      {.jpeg_quality = options.jpeg_quality.value_or(kJpegQuality), .stop_asked = stop_asked});
  if (summary.is_stopped) return summary;
  write_card(judge, options, source, plan,
             {.samples = samples,
              .prompts = std::ssize(source.images.prompts),
              .missing = missing,
              .rewritten = source.images.rewritten,
              .prompts_sha256 = source.list.sha256,
              .codec = codec_of(judge, options, plan)},
             summary.card);
  return summary;
}

}  // namespace kvscope
