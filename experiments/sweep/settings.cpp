#include "experiments/sweep/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <span>
#include <utility>

#include "analysis/metrics/registry.h"
#include "core/base/error.h"
#include "core/base/shell_word.h"
#include "core/config/override.h"
#include "core/config/path.h"
#include "experiments/launch/launcher.h"
#include "experiments/sweep/failure_settings.h"
#include "experiments/sweep/prompt_files.h"

namespace kvscope {
namespace {

void check_length(const std::vector<double>& values, int64_t steps, const std::string& key) {
  if (values.size() == 1 || values.size() == static_cast<size_t>(steps)) return;
  throw Error(ErrorKind::kConfig,
              fmt::format("'{}' has {} values; expected 1 or one for each of the model's {} steps",
                          key, values.size(), steps));
}

/// A prompt as it is written in a config: a text, or the number of a class.
std::string prompt_text(const ConfigNode& node) {
  if (node.kind() == ConfigKind::kInt) return fmt::format("{}", node.as_int64());
  if (node.is_string() && node.as_string().empty()) {
    throw Error(ErrorKind::kConfig,
                fmt::format("{}= is empty; expected a text, or null", node.path()));
  }
  const ConfigOrigin& origin = node.origin();
  if (!node.is_string() && !node.is_container() && node.path() == "prompt" &&
      from_command_line(origin)) {
    throw Error(
        ErrorKind::kConfig,
        fmt::format("{}: the prompt must be a text, or the number of a class; as a text: {}",
                    origin.text(), shell_word(as_quoted_text(*origin.source))));
  }
  return node.as_string();
}

/// The first `images` of `prompts`, numbered; all where that is none.
std::vector<Prompt> first_prompts(std::optional<int64_t> images,
                                  std::vector<Prompt> prompts,
                                  const std::string& source) {
  const size_t wanted = images ? static_cast<size_t>(*images) : prompts.size();
  if (prompts.empty() || wanted > prompts.size()) {
    throw Error(
        ErrorKind::kConfig,
        fmt::format("{} has {} prompts, gen.images asks for {}; gen.images=null takes all there "
                    "are",
                    source, prompts.size(), wanted));
  }
  prompts.resize(wanted);
  for (size_t i = 0; i < wanted; ++i) prompts[i].id = i;
  return prompts;
}

std::vector<Prompt> file_prompts(const ConfigNode* file,
                                 std::optional<int64_t> images,
                                 PromptFiles& files) {
  if (file == nullptr || file->is_null()) {
    throw Error(ErrorKind::kConfig,
                "prompts.source=file needs prompts.file=PATH, a text with one prompt per line");
  }
  return first_prompts(images, files.of(path_of(*file)), "prompts.file=" + file->as_string());
}

std::vector<Prompt> listed_prompts(const PromptSettings& settings, std::optional<int64_t> images) {
  if (settings.list == nullptr || settings.list->is_null()) {
    throw Error(ErrorKind::kConfig,
                "prompts.source=list needs prompts.list=[TEXT,TEXT,...], or class numbers");
  }
  std::vector<Prompt> prompts;
  const std::span<const ConfigNode> items =
      settings.list->is_list() ? std::span(settings.list->items()) : std::span(settings.list, 1);
  for (const ConfigNode& item : items) {
    prompts.push_back(
        {.text = prompt_text(item), .place = fmt::format("prompts.list.{}", prompts.size())});
  }
  return first_prompts(images, std::move(prompts), "prompts.list");
}

std::vector<Prompt> shapes_prompts(const PromptSettings& settings,
                                   std::optional<int64_t> images,
                                   PromptFiles& files) {
  if (!images) {
    throw Error(ErrorKind::kConfig,
                "gen.images=null takes all prompts of a file; prompts=shapes needs a number");
  }
  return files.of_shapes(settings.seed, *images);
}

/// The first `images` prompts of a config, all where that is none.
std::vector<Prompt> some_prompts(const ConfigNode& config,
                                 std::optional<int64_t> images,
                                 PromptFiles& files) {
  const ConfigNode* single = config.find("prompt");
  if (single != nullptr && !single->is_null()) {
    return {{.id = 0, .text = prompt_text(*single), .place = "prompt"}};
  }
  Options options("prompts", config.at("prompts"));
  const PromptSettings settings = read_prompts(options);
  if (settings.source == "list") return listed_prompts(settings, images);
  return settings.source == "file" ? file_prompts(config.find("prompts.file"), images, files)
                                   : shapes_prompts(settings, images, files);
}

/// What the chosen launcher does not read counts as unread where the command line sets it: files
/// may have defaults of several launchers.
void note_unread_launch_keys(const LaunchSettings& launch, Options& options) {
  constexpr int64_t kSeveral = 2;  // null is one a core
  const std::string chosen = launcher_name(launch, launch.workers.value_or(kSeveral));
  const auto leave = [&](const std::string& key, const std::string& reader) {
    if (chosen == reader) return;
    options.unused(key, fmt::format("the launcher is {}; launcher={} reads it", chosen, reader),
                   WrittenIn::kOverride);
  };
  if (launch.workers != 1) leave("workers", "processes");  // one at a time is what others do
  const std::vector<OptionInfo> asked = options.asked();
  for (const OptionInfo& option : asked) {
    if (option.name.starts_with("launch.")) leave(option.name, launcher_that_reads(option.name));
  }
}

}  // namespace

int64_t GenerationSettings::rows(int64_t count) const {
  const bool guided =
      std::ranges::any_of(sampling.cfg, [&](double strength) { return strength != unguided; });
  return guided ? 2 * count : count;
}

LaunchSettings read_launch(Options& options) {
  constexpr int64_t kMostThreads = 1024;
  constexpr Identity kNone = Identity::kNone;
  LaunchSettings launch;
  static_cast<void>(options.word({.key = "name",
                                  .help = "name of the sweep; its folder is called after it",
                                  .default_from = "the model's name",
                                  .identity = kNone}));
  static_cast<void>(options.word(
      {.key = "mode",
       .default_value = "sweep",
       .allowed = {"sweep", "plan"},
       .help = "sweep: points are run; plan: the cells of `table` are planned and compared with "
               "published numbers",
       .identity = kNone}));
  static_cast<void>(options.value({.key = "table",
                                   .accepts = "mapping of title, defaults and cells",
                                   .help = "a table of planned memory, see docs/paper_memory.md",
                                   .identity = kNone}));
  static_cast<void>(options.integer({.key = "seed",
                                     .default_value = 0,
                                     .min = 0,
                                     .help = "base seed, taken over by gen.seed",
                                     .identity = kNone}));
  launch.device = options.word({.key = "device",
                                .default_value = launch.device,
                                .help = "cpu, cuda, cuda:N, or auto: cuda where there is one"});
  launch.threads = options.integer_or_null({.key = "threads",
                                            .min = 1,
                                            .max = kMostThreads,
                                            .help = "CPU threads of one operation; null: all cores",
                                            .identity = kNone});
  launch.workers = options.integer_or_null(
      {.key = "workers",
       .default_value = launch.workers,
       .min = 1,
       .max = kMostThreads,
       .help = "processes that share the points of a sweep, null: one a core; with threads null "
               "each has its part of the cores. For models too small to fill more than one",
       .identity = kNone});
  std::vector<std::string> launchers;
  for (const auto& [launcher, help] : launcher_names()) launchers.push_back(launcher);
  launch.launcher = options.word_or_null(
      {.key = "launcher",
       .allowed = launchers,
       .help = "how the points of a sweep are run; null: serial, or processes for several workers",
       .identity = kNone});
  launch.options = read_launch_options(options);
  note_unread_launch_keys(launch, options);
  static_cast<void>(read_failure_settings(options));
  const std::string infeasible = options.word(
      {.key = "infeasible",
       .default_value = "refuse",
       .allowed = {"refuse", "skip"},
       .help = "what a sweep does with a budget that a policy cannot meet: refuse it before "
               "anything runs, or leave this point out and say so",
       .identity = kNone});
  launch.skip_infeasible = infeasible == "skip";
  static_cast<void>(options.value({.key = "prompt",
                                   .accepts = "text or number of a class",
                                   .help = "a single prompt instead of the prompts group",
                                   .is_text = true}));
  static_cast<void>(options.value({.key = "policy",
                                   .accepts = "a named policy, or its six slots",
                                   .help = "what stays in the cache"}));
  options.leave_to_others({"model", "budget", "gen", "prompts", "metrics", "recipe"});
  return launch;
}

GenerationSettings read_generation(Options& options) {
  constexpr int64_t kMostImages = 10'000'000;
  constexpr double kMostStrength = 1000;
  constexpr int64_t kFirstAutoBatch = 16;
  GenerationSettings settings;
  SamplingOptions& sampling = settings.sampling;
  settings.images =
      options.integer_or_null({.key = "images",
                               .default_value = settings.images,
                               .min = 1,
                               .max = kMostImages,
                               .help = "number of prompts; null: all of the file or list",
                               .identity = Identity::kFormerly});
  const std::optional<int64_t> batch = options.integer_or_word(
      {.key = "batch",
       .default_value = settings.batch,
       .min = 1,
       .max = 4096,
       .help = "images generated at once; auto: 16, and half as many whenever memory runs out",
       .identity = Identity::kFormerly},
      "auto");
  settings.batch_is_auto = !batch;
  settings.batch = batch.value_or(kFirstAutoBatch);
  settings.seed = static_cast<uint64_t>(
      options.integer({.key = "seed",
                       .default_value = 0,
                       .min = 0,
                       .help = "seed of the images, together with prompt id and replica",
                       .default_from = "${seed}"}));
  settings.replicas = options.integer({.key = "replicas",
                                       .default_value = settings.replicas,
                                       .min = 1,
                                       .max = 100'000,
                                       .help = "images of each prompt",
                                       .identity = Identity::kFormerly});
  const std::string rule = options.word(
      {.key = "seed_rule",
       .default_value = "hashed",
       .allowed = {"hashed", "fixed", "index"},
       .help = "the seed of an image: hashed from seed, prompt and replica; fixed: seed + replica, "
               "the same for every prompt; index: seed + number of the prompt",
       .identity = Identity::kUnlessDefault});
  settings.seed_rule = rule == "fixed"   ? SeedRule::kFixed
                       : rule == "index" ? SeedRule::kIndex
                                         : SeedRule::kHashed;
  sampling.cfg = options.numbers(
      {.key = "cfg",
       .default_value = sampling.cfg,
       .min = 0,
       .max = kMostStrength,
       .help = "classifier-free guidance, one value or one a step; 1 is none (VAR: 0)"});
  sampling.tau = options.numbers({.key = "tau",
                                  .default_value = sampling.tau,
                                  .min = 1e-6,
                                  .max = kMostStrength,
                                  .help = "temperature, one value or one a step"});
  sampling.top_k = options.integer({.key = "top_k",
                                    .default_value = sampling.top_k,
                                    .min = 0,
                                    .help = "most likely values to draw from; 0: all"});
  sampling.top_p = options.number({.key = "top_p",
                                   .default_value = sampling.top_p,
                                   .min = 0,
                                   .max = 1,
                                   .help = "probability mass to draw from; 0: all"});
  const std::string timing =
      options.word({.key = "cuts",
                    .default_value = "per_layer",
                    .allowed = {"per_layer", "per_step"},
                    .help = "when tokens are evicted and a step is stored: as each layer has "
                            "attended, or all layers together "
                            "at the end, which takes fewer calls and more memory",
                    .identity = Identity::kUnlessDefault});
  settings.eviction_timing =
      timing == "per_step" ? EvictionTiming::kPerStep : EvictionTiming::kPerLayer;
  settings.store_last_scale = options.flag(
      {.key = "store_last_scale",
       .default_value = false,
       .help = "cache the last scale of a next-scale model too, which nothing reads, as ScaleKV's "
               "released code does",
       .identity = Identity::kUnlessDefault});
  return settings;
}

GenerationSettings generation_settings(const ConfigNode& config, const ModelFacts& facts) {
  Options options("gen", config.at("gen"));
  GenerationSettings settings = read_generation(options);
  options.finish();
  settings.unguided = facts.unguided;
  const auto steps = static_cast<int64_t>(facts.cache.steps.size());
  check_length(settings.sampling.cfg, steps, options.whole("cfg"));
  check_length(settings.sampling.tau, steps, options.whole("tau"));
  return settings;
}

PromptSettings read_prompts(Options& options) {
  PromptSettings settings;
  settings.source = options.word({.key = "source",
                                  .default_value = settings.source,
                                  .allowed = {"shapes", "file", "list"},
                                  .help = "where prompts come from"});
  settings.seed = options.integer({.key = "seed",
                                   .default_value = settings.seed,
                                   .min = 0,
                                   .help = "order of the shapes test captions"});
  settings.file = options.word_or_null({.key = "file", .help = "UTF-8 text, one prompt per line"});
  settings.list = options.value({.key = "list",
                                 .accepts = "list of texts, or of numbers of classes",
                                 .help = "the prompts themselves",
                                 .identity = Identity::kUnlessDefault});
  const auto only_of = [&](const char* key, const char* source, WrittenIn where) {
    if (settings.source == source) return;
    options.unused(key,
                   fmt::format("prompts.source is '{}'; it is with prompts.source={}",
                               settings.source, source),
                   where);
  };
  only_of("file", "file", WrittenIn::kAnywhere);
  only_of("list", "list", WrittenIn::kAnywhere);
  only_of("seed", "shapes", WrittenIn::kOverride);
  return settings;
}

std::vector<std::string> read_metrics(Options& options) {
  std::vector<std::string> names = options.words({.key = "list",
                                                  .default_value = standard_metric_names(),
                                                  .allowed = metric_names(),
                                                  .help = "what is measured on every image",
                                                  .identity = Identity::kFormerly});
  static_cast<void>(options.word_or_null(
      {.key = kMetricWeightsFolder,
       .help = "a folder with weights of metrics under the names they are published by",
       .identity = Identity::kNone}));
  for (const MetricInput& input : all_metric_inputs()) {
    if (input.kind == MetricInput::Kind::kInteger) {
      static_cast<void>(options.integer_or_null(
          {.key = input.key, .min = 1, .help = input.help, .identity = Identity::kNone}));
    } else {
      static_cast<void>(options.word_or_null({.key = input.key,
                                              .allowed = input.allowed,
                                              .help = input.help,
                                              .identity = Identity::kNone}));
    }
  }
  return names;
}

std::vector<Prompt> prompts_of(const ConfigNode& config, PromptFiles& files) {
  Options gen("gen", config.at("gen"));
  return some_prompts(config, read_generation(gen).images, files);
}

std::vector<Prompt> source_prompts(const ConfigNode& config, PromptFiles& files) {
  constexpr int64_t kOfShapes = 256;
  Options options("prompts", config.at("prompts"));
  const bool is_endless = read_prompts(options).source == "shapes";
  return some_prompts(config, is_endless ? std::optional(kOfShapes) : std::nullopt, files);
}

}  // namespace kvscope
