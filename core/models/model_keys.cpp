#include "core/models/model_keys.h"

#include <fmt/format.h>

#include <charconv>

#include "core/base/error.h"

namespace kvscope {

void read_size(Options& options,
               const std::string& key,
               int64_t& into,
               const std::string& help,
               const std::string& default_from) {
  into = options.integer(
      {.key = key, .default_value = into, .min = 0, .help = help, .default_from = default_from});
}

void read_flag(Options& options, const std::string& key, bool& into, const std::string& help) {
  into = options.flag({.key = key, .default_value = into, .help = help});
}

void read_multipliers(Options& options, const std::string& key, std::vector<int64_t>& into) {
  into = options.integers({.key = key,
                           .default_value = into,
                           .min = 1,
                           .help = "channels of the levels in base_channels"});
}

std::string read_published_size(Options& options, const std::string& key, const std::string& help) {
  return options.word_or_null({.key = key, .help = help}).value_or("");
}

std::string read_name(Options& options) {
  return options.word({.key = "name", .help = "name of the model in tables"});
}

std::string read_weights(Options& options) {
  return options.word({.key = "weights",
                       .default_value = "random",
                       .help = "file or folder of published tensors, or random"});
}

std::string read_file(Options& options, const std::string& key, const std::string& help) {
  return options.word_or_null({.key = key, .help = help}).value_or("");
}

std::string read_precision(Options& options) {
  return options.word({.key = "precision",
                       .allowed = {"fp32", "compact", kCompactWeights, "reference"},
                       .help = "types of weights and cache"});
}

bool cut_layers(Options& options, int64_t& layers) {
  IntegerKey key{.key = "layers",
                 .min = 1,
                 .help = "cuts the model to this many layers, for memory and speed work"};
  if (layers > 0) key.max = layers;
  const std::optional<int64_t> wanted = options.integer_or_null(key);
  layers = wanted.value_or(layers);
  return wanted.has_value();
}

T5Config read_text_encoder(Options& options) {
  T5Config text;
  const std::string size = read_published_size(
      options, "text.size", "a published T5 encoder: flan_t5_xl, flan_t5_xxl, ...");
  if (!size.empty()) text = published_t5(size);
  const std::string from = "that of text.size";
  read_size(options, "text.d_model", text.d_model, "channels of the text encoder", from);
  read_size(options, "text.layers", text.layers, "its layers", from);
  read_size(options, "text.heads", text.heads, "its heads", from);
  read_size(options, "text.d_kv", text.d_kv, "channels of a head", from);
  read_size(options, "text.d_ff", text.d_ff, "channels inside a feed-forward", from);
  read_size(options, "text.vocabulary", text.vocabulary, "pieces of the SentencePiece model", from);
  return text;
}

void check_text_encoder(const T5Config& text, int64_t text_channels) {
  if (text.d_model == text_channels) return;
  throw Error(ErrorKind::kConfig,
              fmt::format("model.text.d_model={} must equal model.transformer.text_channels={}",
                          text.d_model, text_channels));
}

int64_t class_of_prompt(std::string_view prompt, int64_t classes) {
  const auto first = prompt.find_first_not_of(" \t");
  const auto last = prompt.find_last_not_of(" \t");
  const std::string_view digits =
      first == prompt.npos ? std::string_view() : prompt.substr(first, last - first + 1);
  int64_t number = -1;
  const char* end = digits.data() + digits.size();
  const auto [rest, error] = std::from_chars(digits.data(), end, number);
  if (error != std::errc() || rest != end || number < 0 || number >= classes) {
    throw Error(ErrorKind::kConfig,
                fmt::format("prompt '{:.60}' is no class of this model; expected a number in "
                            "0..{}, such as prompt=207 or prompts=imagenet_classes",
                            prompt, classes - 1));
  }
  return number;
}

}  // namespace kvscope
