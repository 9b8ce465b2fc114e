#include <ATen/ATen.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/text/tokenizers/clip_tokenizer.h"
#include "experiments/verify/group_check.h"
#include "experiments/verify/metrics/clip_groups.h"
#include "experiments/verify/metrics/recorded_pairs.h"
#include "experiments/verify/text/tokenizer_cases.h"

namespace kvscope::verify {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

/// Every published form of the vocabulary in a folder.
std::vector<fs::path> vocabularies_in(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const char* name : {"bpe_tiny.txt.gz", "tokenizer.json", "vocab.json"}) {
    if (fs::exists(folder / name)) files.push_back(folder / name);
  }
  return files;
}

std::vector<std::string> prompts_of(const GoldenFile& file) {
  const json prompts = json::parse(file.text("prompts"), nullptr, false);
  std::vector<std::string> texts;
  for (const json& prompt : prompts) {
    if (!prompt.is_string()) file.fail("metadata 'prompts' must be a list of texts");
    texts.push_back(prompt.get<std::string>());
  }
  return texts;
}

/// LlamaGen's: three ids of a phrase behind the start token, cut with the end token last.
std::vector<int64_t> with_phrase(const ClipTokenizer& tokenizer,
                                 const std::string& prompt,
                                 int64_t length) {
  const std::vector<int64_t> phrase = tokenizer.encode("A photo depicts ", ClipText::kOpenAi);
  std::vector<int64_t> ids = tokenizer.row(prompt, length, ClipText::kOpenAi).ids;
  ids.insert(ids.begin() + 1, phrase.begin() + 1, phrase.begin() + 4);
  const bool is_cut =
      std::ranges::find(ids.begin(), ids.begin() + length, tokenizer.end()) == ids.begin() + length;
  ids.resize(static_cast<size_t>(length));
  if (is_cut) ids.back() = tokenizer.end();
  return ids;
}

/// The fast tokenizer of transformers, with end tokens behind the end.
std::vector<int64_t> padded_with_end(const ClipTokenizer& tokenizer,
                                     const std::string& prompt,
                                     int64_t length) {
  std::vector<int64_t> ids = tokenizer.encode(prompt, ClipText::kTransformersFast);
  ids.resize(static_cast<size_t>(length), tokenizer.end());
  ids.back() = tokenizer.end();
  return ids;
}

}  // namespace

std::vector<GroupResult> check_clip_ids(GoldenFile& file) {
  const fs::path folder = file.path().parent_path() / "clip_bpe";
  const std::vector<fs::path> vocabularies = vocabularies_in(folder);
  if (!file.has("ids") || !file.has_key("prompts") || vocabularies.empty()) {
    return {not_in_file("ids", "prompts, or the folder clip_bpe beside it")};
  }
  const ClipTokenizer tokenizer = ClipTokenizer::from_file(vocabularies.front());
  const std::vector<std::string> prompts = prompts_of(file);
  GroupCheck check("ids", 0);
  const auto compare = [&](const char* name, const auto& ids_of) {
    if (!file.has(name)) return;
    const at::Tensor expected = recorded(file, name).to(at::kLong);
    const auto rows = static_cast<int64_t>(prompts.size());
    if (expected.dim() != 2 || expected.size(0) != rows || expected.size(1) < 5) {
      file.fail(fmt::format("tensor '{}' must have a row of each of the {} prompts", name, rows));
    }
    for (int64_t i = 0; i < rows; ++i) {
      const std::vector<int64_t> ids = ids_of(prompts[static_cast<size_t>(i)], expected.size(1));
      check.compare(at::tensor(ids, at::kLong), expected[i],
                    fmt::format("{} of prompt {}", name, i));
    }
  };
  compare("ids", [&](const std::string& prompt, int64_t length) {
    return tokenizer.row(prompt, length, ClipText::kOpenAi).ids;
  });
  compare("ids_hf", [&](const std::string& prompt, int64_t length) {
    return padded_with_end(tokenizer, prompt, length);
  });
  compare("ids_llamagen", [&](const std::string& prompt, int64_t length) {
    return with_phrase(tokenizer, prompt, length);
  });
  return {check.result(vocabularies.front().filename().string())};
}

bool is_clip_cases(const fs::path& path) {
  const json file = read_case_file(path);
  return file.is_object() && file.contains("cases") && file.contains("sot") && file.contains("eot");
}

std::vector<GroupResult> verify_clip_cases(const fs::path& path) {
  struct Kind {
    const char* key;
    ClipText text;
  };
  constexpr Kind kKinds[] = {{"ids", ClipText::kOpenAi},
                             {"ids_without_ftfy", ClipText::kOpenAiWithoutFtfy},
                             {"hf_fast_ids", ClipText::kTransformersFast},
                             {"open_clip_ids", ClipText::kOpenClip}};
  const json file = read_case_file(path);
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  std::vector<GroupResult> results;
  for (const fs::path& vocabulary : vocabularies_in(folder)) {
    const ClipTokenizer tokenizer = ClipTokenizer::from_file(vocabulary);
    for (const Kind& kind : kKinds) {
      json cases = file;
      for (json& entry : cases["cases"]) {
        if (entry.is_object() && entry.contains(kind.key)) entry["ids"] = entry[kind.key];
        // What is refused unless it is cut is recorded cut.
        if (entry.value("too_long", false)) entry["max_length"] = file.value("context_length", 77);
      }
      const auto encode = [&](const TokenizerCase& entry) {
        if (!entry.max_length) return tokenizer.encode(entry.text, kind.text);
        return tokenizer.row(entry.text, *entry.max_length, kind.text).ids;
      };
      results.push_back(check_cases(fmt::format("{} {}", kind.key, vocabulary.filename().string()),
                                    tokenizer_cases(path, cases), encode,
                                    vocabulary.filename().string()));
    }
  }
  if (results.empty()) fail_cases(path, "no vocabulary of CLIP beside it");
  return results;
}

}  // namespace kvscope::verify
