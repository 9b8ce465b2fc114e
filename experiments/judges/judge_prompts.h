#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace kvscope {

/// A prompt of a judge's list.
struct JudgePrompt {
  std::string key{};       ///< how the judge finds it: an id, the stem of a file, an index
  std::string text{};      ///< the original, which the judge scores, also where it was rewritten
  std::string group{};     ///< style, category or tag; empty where the judge has none
  std::string verbatim{};  ///< the prompt's bytes in the list (GenEval's line); mostly empty
  std::string where{};     ///< "file:line", for messages
};

/// A judge's prompt list as it was read from files of the user.
struct PromptList {
  std::vector<JudgePrompt> prompts{};
  std::vector<std::filesystem::path> files{};
  std::string sha256{};  ///< over keys and texts, in order
};

/// The file at `path`, or the first of `below` that exists in the folder at `path`: a list may be
/// named by itself or by the judge's checkout. Throws Error(kInput) naming where was looked.
std::filesystem::path prompt_file(const std::filesystem::path& path,
                                  const std::vector<std::string>& below);

/// A list in any common form, keys from "0" on: a line each; .jsonl and .json with keys `prompt`,
/// `caption` or `text`, or texts alone; .csv and .tsv with such a column. Throws Error(kInput)
/// with file and line.
PromptList read_any_prompts(const std::filesystem::path& file);

/// Throws Error(kInput) for an empty list, an empty prompt, a key given twice or one that is no
/// name of a file; fills the digest.
void complete_prompt_list(PromptList& list);

/// {original: rewritten} of a JSON file. Throws Error(kInput).
std::map<std::string, std::string> read_rewritten(const std::filesystem::path& file);

}  // namespace kvscope
