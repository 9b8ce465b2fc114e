#include "core/models/model_keys.h"

#include <fmt/format.h>

#include <charconv>

#include "core/base/error.h"

namespace kvscope {

const ConfigNode* given(const ConfigNode& node, std::string_view key) {
  const ConfigNode* found = node.find(key);
  return found == nullptr || found->is_null() ? nullptr : found;
}

void read(const ConfigNode& node, std::string_view key, int64_t& into) {
  if (const ConfigNode* found = given(node, key)) into = found->as_int64();
}

void read(const ConfigNode& node, std::string_view key, bool& into) {
  if (const ConfigNode* found = given(node, key)) into = found->as_bool();
}

void read(const ConfigNode& node, std::string_view key, std::string& into) {
  if (const ConfigNode* found = given(node, key)) into = found->as_string();
}

bool cut_layers(const ConfigNode& model, int64_t& layers) {
  const ConfigNode* wanted = given(model, "layers");
  if (wanted == nullptr) return false;
  if (wanted->as_int64() < 1 || wanted->as_int64() > layers) {
    throw Error(ErrorKind::kConfig,
                fmt::format("model.layers={} is not in 1..{}, the layers of {}", wanted->as_int64(),
                            layers, model.at("name").as_string()));
  }
  layers = wanted->as_int64();
  return true;
}

T5Config read_text_encoder(const ConfigNode& model, int64_t text_channels) {
  T5Config text;
  if (const ConfigNode* size = given(model, "text.size")) text = published_t5(size->as_string());
  read(model, "text.d_model", text.d_model);
  read(model, "text.layers", text.layers);
  read(model, "text.heads", text.heads);
  read(model, "text.d_kv", text.d_kv);
  read(model, "text.d_ff", text.d_ff);
  read(model, "text.vocabulary", text.vocabulary);
  if (text.d_model != text_channels) {
    throw Error(ErrorKind::kConfig,
                fmt::format("model.text.d_model={} must equal model.transformer.text_channels={}",
                            text.d_model, text_channels));
  }
  return text;
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
