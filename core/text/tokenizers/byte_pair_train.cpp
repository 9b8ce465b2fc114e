#include "core/text/tokenizers/byte_pair_train.h"

#include <fmt/format.h>

#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/text/tokenizers/byte_level.h"

namespace kvscope {
namespace {

constexpr int64_t kBytes = 256;
constexpr const char* kBeginOfSentence = "<｜begin▁of▁sentence｜>";
constexpr std::array kSpecialTokens = {
    kBeginOfSentence, "<｜end▁of▁sentence｜>", "<｜▁pad▁｜>",   "<|User|>",
    "<|Assistant|>",  "<begin_of_image>",      "<end_of_image>"};

using Pair = std::pair<std::string, std::string>;

struct Word {
  std::vector<std::string>
      pieces;  // characters of the byte-level alphabet, then what they merge to
  int64_t count = 0;
};

// Words with the space before them, as the ByteLevel pre-tokenizer cuts captions of letters.
std::vector<Word> words_of(std::span<const std::string> sentences) {
  std::map<std::string, int64_t> counts;
  for (const std::string& sentence : sentences) {
    size_t start = 0;
    while (start < sentence.size()) {
      const size_t end = std::min(sentence.find(' ', start + 1), sentence.size());
      ++counts[" " + sentence.substr(start, end - start).substr(sentence[start] == ' ' ? 1 : 0)];
      start = end;
    }
  }
  std::vector<Word> words;
  for (const auto& [text, count] : counts) {
    Word word{.pieces = {}, .count = count};
    for (const char byte : text) word.pieces.push_back(byte_level_text({&byte, 1}));
    words.push_back(std::move(word));
  }
  return words;
}

std::map<Pair, int64_t> pairs_of(const std::vector<Word>& words) {
  std::map<Pair, int64_t> pairs;
  for (const Word& word : words) {
    for (size_t i = 0; i + 1 < word.pieces.size(); ++i) {
      pairs[{word.pieces[i], word.pieces[i + 1]}] += word.count;
    }
  }
  return pairs;
}

void merge(Word& word, const Pair& pair) {
  std::vector<std::string> merged;
  for (size_t i = 0; i < word.pieces.size(); ++i) {
    const bool here = i + 1 < word.pieces.size() && word.pieces[i] == pair.first &&
                      word.pieces[i + 1] == pair.second;
    merged.push_back(here ? pair.first + pair.second : word.pieces[i]);
    if (here) ++i;
  }
  word.pieces = std::move(merged);
}

std::vector<Pair> learn(std::vector<Word> words, int64_t most) {
  std::vector<Pair> merges;
  while (static_cast<int64_t>(merges.size()) < most) {
    const std::map<Pair, int64_t> pairs = pairs_of(words);
    const auto best = std::ranges::max_element(
        pairs, [](const auto& a, const auto& b) { return a.second < b.second; });
    if (best == pairs.end()) break;
    merges.push_back(best->first);
    for (Word& word : words) merge(word, merges.back());
  }
  return merges;
}

nlohmann::ordered_json tokenizer_json(const std::vector<Pair>& merges) {
  nlohmann::ordered_json vocabulary = nlohmann::ordered_json::object();
  int64_t next = 0;
  for (int64_t value = 0; value < kBytes; ++value) {
    const char byte = static_cast<char>(value);
    vocabulary[byte_level_text({&byte, 1})] = next++;
  }
  nlohmann::ordered_json merge_lines = nlohmann::ordered_json::array();
  for (const auto& [left, right] : merges) {
    vocabulary[left + right] = next++;
    merge_lines.push_back(fmt::format("{} {}", left, right));
  }
  nlohmann::ordered_json added = nlohmann::ordered_json::array();
  const int64_t begin = next;
  for (const char* token : kSpecialTokens) {
    added.push_back({{"id", next++},
                     {"content", token},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  }
  nlohmann::ordered_json begin_first = {
      {"type", "TemplateProcessing"},
      {"single",
       {{{"SpecialToken", {{"id", kBeginOfSentence}, {"type_id", 0}}}},
        {{"Sequence", {{"id", "A"}, {"type_id", 0}}}}}},
      {"pair", nlohmann::ordered_json::array()},
      {"special_tokens",
       {{kBeginOfSentence,
         {{"id", kBeginOfSentence}, {"ids", {begin}}, {"tokens", {kBeginOfSentence}}}}}}};
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", added},
          {"normalizer", nullptr},
          {"pre_tokenizer",
           {{"type", "ByteLevel"},
            {"add_prefix_space", false},
            {"trim_offsets", true},
            {"use_regex", true}}},
          {"post_processor", begin_first},
          {"decoder",
           {{"type", "ByteLevel"},
            {"add_prefix_space", false},
            {"trim_offsets", true},
            {"use_regex", true}}},
          {"model",
           {{"type", "BPE"},
            {"dropout", nullptr},
            {"unk_token", nullptr},
            {"continuing_subword_prefix", nullptr},
            {"end_of_word_suffix", nullptr},
            {"fuse_unk", false},
            {"byte_fallback", false},
            {"ignore_merges", false},
            {"vocab", vocabulary},
            {"merges", merge_lines}}}};
}

}  // namespace

void train_byte_pairs(std::span<const std::string> sentences,
                      int64_t vocabulary,
                      const std::filesystem::path& path) {
  const int64_t fixed = kBytes + static_cast<int64_t>(kSpecialTokens.size());
  if (vocabulary < fixed) {
    throw Error(ErrorKind::kConfig,
                fmt::format("{}: a vocabulary of {} is too small for {} bytes and special tokens",
                            path.string(), vocabulary, fixed));
  }
  const std::vector<Pair> merges = learn(words_of(sentences), vocabulary - fixed);
  write_file_atomically(path, tokenizer_json(merges).dump(1) + "\n");
}

}  // namespace kvscope
