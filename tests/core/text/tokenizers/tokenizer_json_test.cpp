#include "core/text/tokenizers/tokenizer_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/text/tokenizers/byte_pair_tokenizer.h"
#include "test_paths.h"

namespace kvscope {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

// A tokenizer of three letters and a space, to be changed by each test.
json small() {
  return json::parse(R"({
    "version": "1.0", "truncation": null, "padding": null,
    "added_tokens": [{"id": 7, "content": "<s>", "single_word": false, "lstrip": false,
                      "rstrip": false, "normalized": false, "special": true},
                     {"id": 8, "content": "</s>", "special": true}],
    "normalizer": null,
    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true},
    "post_processor": null,
    "decoder": {"type": "ByteLevel"},
    "model": {"type": "BPE", "dropout": null, "unk_token": null, "vocab":
      {"a": 0, "b": 1, "c": 2, "\u0120": 3, "ab": 4, "\u0120a": 5, "abc": 6},
      "merges": ["a b", "\u0120 a", "ab c"]}})");
}

TokenizerJson read(const json& file, const std::string& config = "") {
  return read_tokenizer_json(file.dump(), "dir/tokenizer.json", config,
                             "dir/tokenizer_config.json");
}

std::vector<int64_t> ids(const json& file,
                         const std::string& text,
                         const std::string& config = "") {
  return BytePairTokenizer(read(file, config)).encode(text);
}

std::string error_of(const std::string& file, const std::string& config = "") {
  try {
    read_tokenizer_json(file, "dir/tokenizer.json", config, "dir/tokenizer_config.json");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    return error.what();
  }
  return "no error";
}

std::string error_of(const json& file, const std::string& config = "") {
  return error_of(file.dump(), config);
}

json patched(const char* pointer, json value) {
  json file = small();
  file[json::json_pointer(pointer)] = std::move(value);
  return file;
}

TEST(TokenizerJson, ReadsAndTokenizes) {
  EXPECT_THAT(ids(small(), "abc ab a"), ElementsAre(6, 3, 4, 5));
  EXPECT_THAT(ids(small(), "<s>ab</s>"), ElementsAre(7, 4, 8));
}

TEST(TokenizerJson, MergesAsPairsAreTheSame) {
  const json pairs = json::parse(R"([["a", "b"], ["Ġ", "a"], ["ab", "c"]])");
  EXPECT_THAT(ids(patched("/model/merges", pairs), "abc ab a"), ElementsAre(6, 3, 4, 5));
  const json headed = json::parse(R"(["#version: 0.2", "a b", "Ġ a", "ab c"])");
  EXPECT_THAT(ids(patched("/model/merges", headed), "abc ab a"), ElementsAre(6, 3, 4, 5));
}

TEST(TokenizerJson, PostProcessorAddsIds) {
  json file = small();
  file["post_processor"] = json::parse(R"({"type": "Sequence", "processors": [
    {"type": "ByteLevel", "trim_offsets": true},
    {"type": "TemplateProcessing",
     "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": "</s>", "type_id": 0}}],
     "pair": [], "special_tokens": {"<s>": {"id": "<s>", "ids": [7], "tokens": ["<s>"]},
                                    "</s>": {"id": "</s>", "ids": [8, 8], "tokens": []}}}]})");
  EXPECT_THAT(ids(file, "a"), ElementsAre(7, 0, 8, 8));
  EXPECT_THAT(ids(file, ""), ElementsAre(7, 8, 8));
  EXPECT_THAT(BytePairTokenizer(read(file)).encode_plain("a"), ElementsAre(0));
  // Another class leaves the template alone; LlamaTokenizer replaces it.
  EXPECT_THAT(ids(file, "a", R"({"tokenizer_class": "PreTrainedTokenizerFast",
                                 "add_bos_token": false})"),
              ElementsAre(7, 0, 8, 8));
  EXPECT_THAT(ids(file, "a", R"({"tokenizer_class": "LlamaTokenizerFast",
                                 "add_bos_token": false})"),
              ElementsAre(0));
}

TEST(TokenizerJson, LlamaClassAddsWhatItsConfigSays) {
  const std::string llama = R"("tokenizer_class": "LlamaTokenizerFast")";
  EXPECT_THAT(ids(small(), "a", "{" + llama + R"(, "bos_token": "<s>"})"), ElementsAre(7, 0));
  EXPECT_THAT(ids(small(), "a", "{" + llama + R"(, "add_bos_token": false, "add_eos_token": true,
                                    "eos_token": {"content": "</s>", "lstrip": false}})"),
              ElementsAre(0, 8));
  EXPECT_THAT(error_of(small(), "{" + llama + "}"),
              AllOf(HasSubstr("tokenizer_config.json"), HasSubstr("'bos_token' is missing")));
  EXPECT_THAT(error_of(small(), "{" + llama + R"(, "bos_token": "<bos>"})"),
              HasSubstr("'<bos>' is no token"));
  EXPECT_THAT(error_of(small(), "[1"), HasSubstr("tokenizer_config.json"));
}

TEST(TokenizerJson, UnknownPartsAreNamedWithTheKnownOnes) {
  const auto typed = [](const char* name) { return json{{"type", name}}; };
  EXPECT_THAT(error_of(patched("/normalizer", typed("NFKC"))),
              AllOf(HasSubstr("dir/tokenizer.json: normalizer"), HasSubstr("'NFKC'"),
                    HasSubstr("Sequence")));
  EXPECT_THAT(error_of(patched("/pre_tokenizer", typed("Metaspace"))),
              AllOf(HasSubstr("pre_tokenizer"), HasSubstr("'Metaspace'"), HasSubstr("Split"),
                    HasSubstr("Digits"), HasSubstr("ByteLevel")));
  EXPECT_THAT(error_of(patched("/model/type", "Unigram")),
              AllOf(HasSubstr("model"), HasSubstr("'Unigram'"), HasSubstr("BPE")));
  EXPECT_THAT(error_of(patched("/decoder", typed("WordPiece"))), HasSubstr("ByteLevel"));
  EXPECT_THAT(error_of(patched("/post_processor", typed("BertProcessing"))),
              HasSubstr("TemplateProcessing"));
  const json nested = json::parse(R"({"type": "Sequence", "normalizers": [
    {"type": "Sequence", "normalizers": []}, {"type": "Lowercase"}]})");
  EXPECT_THAT(error_of(patched("/normalizer", nested)),
              AllOf(HasSubstr("normalizers[1]"), HasSubstr("'Lowercase'")));
  EXPECT_THAT(error_of(patched("/model/byte_fallback", true)), HasSubstr("byte_fallback"));
  EXPECT_THAT(error_of(patched("/model/dropout", 0.1)), HasSubstr("model.dropout"));
  EXPECT_THAT(error_of(patched("/model/end_of_word_suffix", "</w>")), HasSubstr("end_of_word"));
  EXPECT_THAT(error_of(patched("/pre_tokenizer", nullptr)), HasSubstr("ByteLevel"));
}

TEST(TokenizerJson, DamageIsNamedWithItsPlace) {
  EXPECT_THAT(error_of(patched("/model/vocab/abc", "6")),
              AllOf(HasSubstr("dir/tokenizer.json: model.vocab['abc']"), HasSubstr("integer")));
  EXPECT_THAT(error_of(patched("/model/vocab/abc", 4)), HasSubstr("share id 4"));
  EXPECT_THAT(error_of(patched("/model/vocab/abc", 1.5)), HasSubstr("1.5"));
  EXPECT_THAT(error_of(patched("/model/vocab/abc", 18446744073709551615ULL)), HasSubstr("1844"));
  EXPECT_THAT(error_of(patched("/model/merges/1", "a")), HasSubstr("model.merges[1]"));
  EXPECT_THAT(error_of(patched("/model/merges/1", "a b c")), HasSubstr("model.merges[1]"));
  EXPECT_THAT(error_of(patched("/model/merges/1", json::array({"a"}))), HasSubstr("merges[1]"));
  EXPECT_THAT(error_of(patched("/model/merges/1", "b a")), HasSubstr("'ba'"));
  EXPECT_THAT(error_of(patched("/model", nullptr)), HasSubstr("model"));
  EXPECT_THAT(error_of(patched("/added_tokens/0/id", 0)), HasSubstr("which is 'a'"));
  EXPECT_THAT(error_of(patched("/added_tokens/1/id", 7)), HasSubstr("share id 7"));
  EXPECT_THAT(error_of(patched("/added_tokens/1/content", "ab")), HasSubstr("4 in model.vocab"));
  EXPECT_THAT(error_of(patched("/added_tokens/1/content", std::string(5000, 'x'))),
              HasSubstr("5000 bytes"));
  EXPECT_THAT(error_of(patched("/added_tokens/1/special", 1)), HasSubstr("true or false"));
  const json split = {{"type", "Split"}, {"pattern", {{"Regex", "(a"}}}, {"behavior", "Isolated"}};
  EXPECT_THAT(error_of(patched("/pre_tokenizer", split)),
              AllOf(HasSubstr("dir/tokenizer.json"), HasSubstr("'(a'")));
  json behavior = split;
  behavior["pattern"]["Regex"] = "a";
  behavior["behavior"] = "isolated";
  EXPECT_THAT(error_of(patched("/pre_tokenizer", behavior)), HasSubstr("Did you mean 'Isolated'"));
}

TEST(TokenizerJson, HostileJsonIsRefused) {
  EXPECT_THAT(error_of(std::string(100'000, '[')), HasSubstr("levels deep"));
  EXPECT_THAT(error_of(std::string("{\"model\": ")), HasSubstr("is not JSON"));
  EXPECT_THAT(error_of(std::string("\xFF")), HasSubstr("is not JSON"));
  EXPECT_THAT(error_of(std::string()), HasSubstr("is not JSON"));
  EXPECT_THAT(error_of(std::string("[]")), HasSubstr("dir/tokenizer.json"));
  EXPECT_THAT(error_of(std::string(20 << 20, ' ')), HasSubstr("bytes, at most"));
}

// A prefix of a published file must never be taken for a whole one.
TEST(TokenizerJson, EveryCutOfAFileIsRefused) {
  const std::string whole = small().dump();
  for (size_t bytes = 0; bytes < whole.size(); ++bytes) {
    EXPECT_THAT(error_of(whole.substr(0, bytes)), HasSubstr("is not JSON")) << bytes;
  }
}

}  // namespace
}  // namespace kvscope
