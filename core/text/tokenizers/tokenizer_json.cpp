#include "core/text/tokenizers/tokenizer_json.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "core/base/error.h"
#include "core/text/tokenizers/json_reader.h"

namespace kvscope {
namespace {

// Beyond published files (DeepSeek: 5 MB); parsed, one takes up to 30 times its size.
constexpr size_t kLargestFileBytes = 16 << 20;
constexpr size_t kLongestAddedTokenBytes = 4096;

// Words, numbers and the rest, each with one space before it (Radford et al. 2019).
constexpr const char* kByteLevelPattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr const char* kNumeric = R"(\p{N})";

void check_normalizer(const JsonReader& normalizer) {
  if (normalizer.is_null()) return;
  normalizer.type({"Sequence"});
  for (const JsonReader& part : normalizer.at("normalizers").items()) check_normalizer(part);
}

SplitBehavior read_behavior(const JsonReader& behavior) {
  static const std::vector<std::pair<std::string, SplitBehavior>> known = {
      {"Removed", SplitBehavior::kRemoved},
      {"Isolated", SplitBehavior::kIsolated},
      {"MergedWithPrevious", SplitBehavior::kMergedWithPrevious},
      {"MergedWithNext", SplitBehavior::kMergedWithNext},
      {"Contiguous", SplitBehavior::kContiguous}};
  std::vector<std::string> names;
  for (const auto& [name, value] : known) {
    if (name == behavior.text()) return value;
    names.push_back(name);
  }
  behavior.fail(fmt::format("'{}' is not supported. {}", behavior.text(),
                            suggestion(behavior.text(), names)));
}

SplitStep read_split(const JsonReader& step, const std::string& origin) {
  const JsonReader pattern = step.at("pattern");
  const bool regex = pattern.has("Regex");
  if (!regex && !pattern.has("String")) pattern.fail("expected 'Regex' or 'String'");
  return {Pattern(pattern.at(regex ? "Regex" : "String").text(),
                  regex ? PatternDialect::kOniguruma : PatternDialect::kLiteral, origin),
          read_behavior(step.at("behavior")), step.flag("invert", false)};
}

void read_pre_tokenizer(const JsonReader& step, const std::string& origin, PreTokenizer& steps) {
  const std::string& type = step.type({"Sequence", "Split", "Digits", "ByteLevel"});
  if (type == "Sequence") {
    for (const JsonReader& part : step.at("pretokenizers").items()) {
      read_pre_tokenizer(part, origin, steps);
    }
  } else if (type == "Split") {
    steps.emplace_back(read_split(step, origin));
  } else if (type == "Digits") {
    const bool alone = step.flag("individual_digits", false);
    steps.emplace_back(SplitStep{Pattern(kNumeric, PatternDialect::kOniguruma, origin),
                                 alone ? SplitBehavior::kIsolated : SplitBehavior::kContiguous,
                                 false});
  } else {
    ByteLevelStep bytes{step.flag("add_prefix_space", true), {}};
    if (step.flag("use_regex", true)) {
      bytes.pattern.emplace(kByteLevelPattern, PatternDialect::kOniguruma, origin);
    }
    steps.emplace_back(std::move(bytes));
  }
}

bool writes_bytes(const PreTokenizer& steps) {
  for (const auto& step : steps) {
    if (std::holds_alternative<ByteLevelStep>(step)) return true;
  }
  return false;
}

// Decoding writes bytes back whatever the decoder's options; another kind is another tokenizer.
void check_decoder(const JsonReader& decoder) {
  if (decoder.type({"ByteLevel", "Sequence"}) == "ByteLevel") return;
  for (const JsonReader& part : decoder.at("decoders").items()) check_decoder(part);
}

BytePairModel::Merges read_merges(const JsonReader& list) {
  BytePairModel::Merges merges;
  for (const JsonReader& merge : list.items()) {
    if (merge.is_string()) {
      const std::string& line = merge.text();
      if (line.starts_with("#version")) continue;  // from a merges.txt
      const size_t space = line.find(' ');
      if (space == line.npos || line.find(' ', space + 1) != line.npos) {
        merge.fail(fmt::format("expected two tokens with one space between, found '{}'", line));
      }
      merges.emplace_back(line.substr(0, space), line.substr(space + 1));
    } else {
      const std::vector<JsonReader> pair = merge.items();
      if (pair.size() != 2) merge.fail(fmt::format("expected 2 tokens, found {}", pair.size()));
      merges.emplace_back(pair[0].text(), pair[1].text());
    }
  }
  return merges;
}

void check_absent(const JsonReader& model, const char* key) {
  if (!model.has(key)) return;
  const JsonReader value = model.at(key);
  if (value.is_string() && value.text().empty()) return;
  value.fail("is not supported in byte-level BPE; expected null");
}

BytePairModel read_model(const JsonReader& model) {
  // Files of early versions name no type; it was BPE's vocabulary and merges then, too.
  if (model.has("type")) model.type({"BPE"});
  check_absent(model, "dropout");
  check_absent(model, "continuing_subword_prefix");
  check_absent(model, "end_of_word_suffix");
  if (model.flag("byte_fallback", false)) {
    model.fail("byte_fallback is not supported; expected byte-level BPE");
  }
  BytePairModel::Options options;
  options.ignore_merges = model.flag("ignore_merges", false);
  options.fuse_unknown = model.flag("fuse_unk", false);
  if (model.has("unk_token")) options.unknown = model.at("unk_token").text();
  BytePairModel::Vocabulary vocabulary;
  for (const auto& [token, id] : model.at("vocab").members()) {
    vocabulary.emplace_back(token, id.integer());
  }
  const BytePairModel::Merges merges = read_merges(model.at("merges"));
  try {
    return {vocabulary, merges, options};
  } catch (const Error& error) {
    model.fail(error.what());
  }
}

AddedToken read_added_token(const JsonReader& entry, const BytePairModel& model) {
  const bool special = entry.flag("special", false);
  AddedToken token{.content = entry.at("content").text(),
                   .id = entry.at("id").integer(),
                   .single_word = entry.flag("single_word", false),
                   .lstrip = entry.flag("lstrip", false),
                   .rstrip = entry.flag("rstrip", false),
                   .normalized = entry.flag("normalized", !special),
                   .special = special};
  if (token.id < 0) entry.fail(fmt::format("id {} is negative", token.id));
  if (token.content.size() > kLongestAddedTokenBytes) {
    entry.fail(fmt::format("content is {} bytes long, at most {} are read", token.content.size(),
                           kLongestAddedTokenBytes));
  }
  const std::optional<int64_t> known = model.id_of(token.content);
  if (known && *known != token.id) {
    entry.fail(
        fmt::format("'{}' has id {} here and {} in model.vocab", token.content, token.id, *known));
  }
  const std::string* other = model.token_of(token.id);
  if (other != nullptr && *other != token.content) {
    entry.fail(fmt::format("'{}' has id {}, which is '{}' in model.vocab", token.content, token.id,
                           *other));
  }
  return token;
}

std::vector<AddedToken> read_added_tokens(const JsonReader& root, const BytePairModel& model) {
  std::vector<AddedToken> tokens;
  std::map<int64_t, std::string> contents;
  if (!root.has("added_tokens")) return tokens;
  for (const JsonReader& entry : root.at("added_tokens").items()) {
    tokens.push_back(read_added_token(entry, model));
    const auto [other, fresh] = contents.emplace(tokens.back().id, tokens.back().content);
    if (!fresh && other->second != tokens.back().content) {
      entry.fail(fmt::format("'{}' and '{}' share id {}", other->second, tokens.back().content,
                             tokens.back().id));
    }
  }
  return tokens;
}

struct Frame {
  std::vector<int64_t> prefix;
  std::vector<int64_t> suffix;
};

void read_template(const JsonReader& processor, Frame& frame) {
  Frame added;
  bool after_text = false;
  for (const JsonReader& part : processor.at("single").items()) {
    if (part.has("Sequence")) {
      if (after_text) part.fail("a second 'Sequence' in a template for one text");
      after_text = true;
      continue;
    }
    const std::string& name = part.at("SpecialToken").at("id").text();
    std::vector<int64_t>& side = after_text ? added.suffix : added.prefix;
    for (const JsonReader& id : processor.at("special_tokens").at(name.c_str()).at("ids").items()) {
      side.push_back(id.integer());
    }
  }
  if (!after_text) processor.at("single").fail("no 'Sequence': the text itself is missing");
  frame.prefix.insert(frame.prefix.begin(), added.prefix.begin(), added.prefix.end());
  frame.suffix.insert(frame.suffix.end(), added.suffix.begin(), added.suffix.end());
}

void read_post_processor(const JsonReader& processor, Frame& frame) {
  const std::string& type = processor.type({"TemplateProcessing", "ByteLevel", "Sequence"});
  if (type == "TemplateProcessing") {
    read_template(processor, frame);
  } else if (type == "Sequence") {
    for (const JsonReader& part : processor.at("processors").items()) {
      read_post_processor(part, frame);
    }
  }  // ByteLevel moves offsets, no ids
}

std::optional<int64_t> id_of(const TokenizerJson& tokenizer, const std::string& content) {
  for (const AddedToken& token : tokenizer.added_tokens) {
    if (token.content == content) return token.id;
  }
  return tokenizer.model.id_of(content);
}

// "bos_token" is a string or an object with its content.
int64_t read_frame_token(const JsonReader& config,
                         const char* key,
                         const TokenizerJson& tokenizer) {
  const JsonReader token = config.at(key);
  const std::string& content = token.is_string() ? token.text() : token.at("content").text();
  const std::optional<int64_t> id = id_of(tokenizer, content);
  if (!id) token.fail(fmt::format("'{}' is no token of the tokenizer", content));
  return *id;
}

void apply_config(const JsonReader& config, TokenizerJson& tokenizer) {
  if (!config.has("tokenizer_class")) return;
  const std::string& name = config.at("tokenizer_class").text();
  if (name != "LlamaTokenizer" && name != "LlamaTokenizerFast") return;
  tokenizer.prefix.clear();
  tokenizer.suffix.clear();
  if (config.flag("add_bos_token", true)) {
    tokenizer.prefix.push_back(read_frame_token(config, "bos_token", tokenizer));
  }
  if (config.flag("add_eos_token", false)) {
    tokenizer.suffix.push_back(read_frame_token(config, "eos_token", tokenizer));
  }
}

}  // namespace

TokenizerJson read_tokenizer_json(std::string_view text,
                                  const std::string& origin,
                                  std::string_view config,
                                  const std::string& config_origin) {
  if (text.size() > kLargestFileBytes) {
    throw Error(ErrorKind::kInput, fmt::format("{}: {} bytes, at most {} are read", origin,
                                               text.size(), kLargestFileBytes));
  }
  const nlohmann::json document = parse_json(text, origin);
  const JsonReader root(document, origin + ": ");
  if (root.has("normalizer")) check_normalizer(root.at("normalizer"));
  PreTokenizer steps;
  if (root.has("pre_tokenizer")) read_pre_tokenizer(root.at("pre_tokenizer"), origin, steps);
  BytePairModel model = read_model(root.at("model"));
  if (!writes_bytes(steps)) root.fail("pre_tokenizer has no ByteLevel; expected byte-level BPE");
  if (root.has("decoder")) check_decoder(root.at("decoder"));
  Frame frame;
  if (root.has("post_processor")) read_post_processor(root.at("post_processor"), frame);
  std::vector<AddedToken> added = read_added_tokens(root, model);
  TokenizerJson tokenizer{std::move(added), std::move(steps), std::move(model),
                          std::move(frame.prefix), std::move(frame.suffix)};
  if (!config.empty()) {
    const nlohmann::json settings = parse_json(config, config_origin);
    apply_config(JsonReader(settings, config_origin + ": "), tokenizer);
  }
  return tokenizer;
}

}  // namespace kvscope
