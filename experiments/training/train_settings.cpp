#include "experiments/training/train_settings.h"

#include <algorithm>

#include "core/base/error.h"

namespace kvscope {
namespace {

constexpr int64_t kMost = 1'000'000'000;  // steps, images

StageSettings read_stage(Options& options, const std::string& stage, StageSettings settings) {
  settings.steps = options.integer({.key = stage + ".steps",
                                    .default_value = settings.steps,
                                    .min = 1,
                                    .max = kMost,
                                    .unit = "steps",
                                    .help = "length of the stage"});
  settings.batch = options.integer({.key = stage + ".batch",
                                    .default_value = settings.batch,
                                    .min = 1,
                                    .max = kMost,
                                    .unit = "images",
                                    .help = "images per step"});
  settings.learning_rate = options.number({.key = stage + ".learning_rate",
                                           .default_value = settings.learning_rate,
                                           .min = 0,
                                           .max = 1,
                                           .help = "of AdamW, at its largest"});
  return settings;
}

double read_share(Options& options,
                  const std::string& key,
                  double default_value,
                  const std::string& help) {
  return options.number(
      {.key = key, .default_value = default_value, .min = 0, .max = 1, .help = help});
}

void read_common(Options& options, TrainSettings& settings) {
  settings.folder = options.word({.key = "folder",
                                  .help = "states, curves and results; the same command resumes "
                                          "from here",
                                  .default_from = "training/${model.name}"});
  settings.start_from = options.word_or_null(
      {.key = "start_from", .help = "folder of a finished model to go on from"});
  settings.seed = static_cast<uint64_t>(options.integer(
      {.key = "seed", .default_value = 1, .min = 0, .help = "of everything drawn"}));
  settings.save_every_steps = options.integer({.key = "save_every_steps",
                                               .default_value = settings.save_every_steps,
                                               .min = 1,
                                               .max = kMost,
                                               .unit = "steps",
                                               .help = "between two states on disk"});
  settings.condition_dropout =
      read_share(options, "transformer.condition_dropout", settings.condition_dropout,
                 "share of prompts made unconditional, for guidance");
}

void read_skill_shares(Options& options, TrainSettings& settings) {
  constexpr int64_t kLargestShare = 1000;
  for (size_t i = 0; i < settings.skill_shares.size(); ++i) {
    const std::string skill(shapes::skill_name(shapes::kSkills[i]));
    settings.skill_shares[i] = options.integer({.key = "transformer.skill_shares." + skill,
                                                .default_value = settings.skill_shares[i],
                                                .min = 0,
                                                .max = kLargestShare,
                                                .help = "how often a caption asks for it"});
  }
}

TrainSettings read_infinity(Options& options) {
  TrainSettings settings;
  read_common(options, settings);
  settings.tokenizer =
      read_stage(options, "autoencoder", {.steps = 2400, .batch = 8, .learning_rate = 0.004});
  settings.transformer =
      read_stage(options, "transformer", {.steps = 12000, .batch = 8, .learning_rate = 0.002});
  settings.flip_probability =
      read_share(options, "transformer.flip_probability", settings.flip_probability,
                 "largest rate of flipped input bits");
  settings.short_scales = options.integer({.key = "transformer.short_scales",
                                           .default_value = settings.short_scales,
                                           .min = 1,
                                           .unit = "scales",
                                           .help = "of the cheap batches"});
  settings.full_share_first =
      read_share(options, "transformer.full_share_first", settings.full_share_first,
                 "share of whole-schedule batches at the start");
  settings.full_share_last =
      read_share(options, "transformer.full_share_last", settings.full_share_last,
                 "share of whole-schedule batches at the end");
  read_skill_shares(options, settings);
  return settings;
}

TrainSettings read_janus(Options& options) {
  TrainSettings settings;
  settings.skill_shares = {1, 1, 3, 3, 4, 4};  // colours are what it learns last
  read_common(options, settings);
  settings.tokenizer =
      read_stage(options, "tokenizer", {.steps = 3000, .batch = 16, .learning_rate = 0.002});
  settings.transformer =
      read_stage(options, "transformer", {.steps = 12000, .batch = 16, .learning_rate = 0.002});
  read_skill_shares(options, settings);
  return settings;
}

struct FamilyReader {
  const char* family;
  TrainSettings (*read)(Options&);
};

constexpr FamilyReader kReaders[] = {{"infinity", read_infinity}, {"janus", read_janus}};

}  // namespace

std::vector<std::string> trained_families() {
  std::vector<std::string> names;
  for (const FamilyReader& reader : kReaders) names.emplace_back(reader.family);
  return names;
}

TrainSettings read_training(const std::string& family, Options& options) {
  for (const FamilyReader& reader : kReaders) {
    if (family == reader.family) return reader.read(options);
  }
  throw Error(ErrorKind::kConfig, "model.family '" + family + "' cannot be trained. " +
                                      suggestion(family, trained_families()));
}

TrainSettings train_settings(const std::string& family, const ConfigNode& train) {
  Options options("train", train);
  const TrainSettings settings = read_training(family, options);
  options.finish();
  const auto is_zero = [](int64_t share) { return share == 0; };
  if (std::ranges::all_of(settings.skill_shares, is_zero)) {
    throw Error(ErrorKind::kConfig,
                "train.transformer.skill_shares are all 0: nothing to train on");
  }
  return settings;
}

}  // namespace kvscope
