#include "experiments/sweep/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "analysis/shapes/caption.h"
#include "analysis/shapes/split.h"
#include "core/base/error.h"

namespace kvscope {
namespace {

void check_length(const std::vector<double>& values, int64_t steps, const ConfigNode& node) {
  if (values.size() == 1 || values.size() == static_cast<size_t>(steps)) return;
  throw Error(ErrorKind::kConfig,
              fmt::format("'{}' has {} values; expected 1 or one for each of the model's {} steps",
                          node.path(), values.size(), steps));
}

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream stream(path);
  if (!stream) {
    throw Error(ErrorKind::kInput, fmt::format("prompts.file={}: cannot be read", path));
  }
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

/// A prompt as it is written in a config: a text, or the number of a class.
std::string prompt_text(const ConfigNode& node) {
  if (node.kind() == ConfigKind::kInt) return fmt::format("{}", node.as_int64());
  if (node.is_string() && node.as_string().empty()) {
    throw Error(ErrorKind::kConfig,
                fmt::format("{}= is empty; expected a text, or null", node.path()));
  }
  return node.as_string();
}

/// The first gen.images of `texts`, all where that is null.
std::vector<Prompt> first_prompts(const ConfigNode& config,
                                  const std::vector<std::string>& texts,
                                  const std::string& source) {
  const ConfigNode& images = config.at("gen.images");
  const auto wanted = images.is_null() ? texts.size() : static_cast<size_t>(images.as_int64());
  if (texts.empty() || wanted > texts.size()) {
    throw Error(
        ErrorKind::kConfig,
        fmt::format("{} has {} prompts, gen.images asks for {}; gen.images=null takes all there "
                    "are",
                    source, texts.size(), wanted));
  }
  std::vector<Prompt> prompts;
  for (size_t i = 0; i < wanted; ++i) prompts.push_back({.id = i, .text = texts[i]});
  return prompts;
}

std::vector<Prompt> file_prompts(const ConfigNode& config) {
  const ConfigNode& file = config.at("prompts.file");
  if (file.is_null()) {
    throw Error(ErrorKind::kConfig,
                "prompts.source=file needs prompts.file=PATH, a text with one prompt a line");
  }
  return first_prompts(config, lines_of(file.as_string()), "prompts.file=" + file.as_string());
}

std::vector<Prompt> listed_prompts(const ConfigNode& config) {
  const ConfigNode& list = config.at("prompts.list");
  if (list.is_null()) {
    throw Error(ErrorKind::kConfig,
                "prompts.source=list needs prompts.list=[TEXT, TEXT, ...], or class numbers");
  }
  std::vector<std::string> texts;
  for (const ConfigNode& item : list.items()) texts.push_back(prompt_text(item));
  return first_prompts(config, texts, "prompts.list");
}

std::vector<Prompt> shapes_prompts(const ConfigNode& config) {
  const ConfigNode& images = config.at("gen.images");
  if (images.is_null()) {
    throw Error(ErrorKind::kConfig,
                "gen.images=null takes all prompts of a file; prompts=shapes needs a number");
  }
  std::vector<Prompt> prompts;
  const auto seed = static_cast<uint64_t>(config.at("prompts.seed").as_int64());
  for (const std::string& caption : shapes::test_prompts(images.as_int64(), seed)) {
    const auto skill = shapes::skill_name(shapes::parse_caption(caption).skill);
    prompts.push_back({.id = prompts.size(), .text = caption, .skill = std::string(skill)});
  }
  return prompts;
}

}  // namespace

int64_t GenerationSettings::rows(int64_t images) const {
  const bool guided =
      std::ranges::any_of(sampling.cfg, [&](double strength) { return strength != unguided; });
  return guided ? 2 * images : images;
}

GenerationSettings generation_settings(const ConfigNode& config, const ModelFacts& facts) {
  const ConfigNode& gen = config.at("gen");
  const auto steps = static_cast<int64_t>(facts.cache.steps.size());
  GenerationSettings settings;
  settings.unguided = facts.unguided;
  settings.sampling.cfg = gen.at("cfg").as_double_list();
  settings.sampling.tau = gen.at("tau").as_double_list();
  settings.sampling.top_k = gen.at("top_k").as_int64();
  settings.sampling.top_p = gen.at("top_p").as_double();
  settings.batch = gen.at("batch").as_int64();
  settings.seed = static_cast<uint64_t>(gen.at("seed").as_int64());
  settings.replicas = gen.at("replicas").as_int64();
  const ConfigNode* cuts = gen.child("cuts");
  const bool per_step = cuts != nullptr && cuts->is_string() && cuts->as_string() == "per_step";
  settings.cuts = per_step ? Cuts::kPerStep : Cuts::kPerLayer;
  check_length(settings.sampling.cfg, steps, gen.at("cfg"));
  check_length(settings.sampling.tau, steps, gen.at("tau"));
  return settings;
}

std::vector<Prompt> prompts_of(const ConfigNode& config) {
  const ConfigNode* single = config.find("prompt");
  if (single != nullptr && !single->is_null()) {
    return {{.id = 0, .text = prompt_text(*single)}};
  }
  const std::string& source = config.at("prompts.source").as_string();
  if (source == "list") return listed_prompts(config);
  return source == "file" ? file_prompts(config) : shapes_prompts(config);
}

}  // namespace kvscope
