#include "experiments/judges/judge_prompts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <string_view>

#include "core/base/error.h"
#include "core/base/sha256.h"
#include "experiments/judges/judge_csv.h"
#include "experiments/judges/judge_json.h"
#include "experiments/judges/judge_text.h"

namespace kvscope {
namespace {

namespace fs = std::filesystem;

constexpr std::array<const char*, 6> kTextKeys = {"prompt",  "Prompt", "caption",
                                                  "Caption", "text",   "Text"};

std::string prompt_in(const JudgeJson& item, const std::string& where) {
  if (item.is_string()) return item.get<std::string>();
  for (const char* key : kTextKeys) {
    if (item.is_object() && item.contains(key)) return text_member(item, key, where);
  }
  throw Error(ErrorKind::kInput,
              fmt::format("{}: expected a text, or an object with one of the keys {}", where,
                          fmt::join(kTextKeys, ", ")));
}

std::vector<std::pair<std::string, std::string>> texts_of_table(const CsvTable& table) {
  for (const char* key : kTextKeys) {
    if (!table.has(key)) continue;
    std::vector<std::pair<std::string, std::string>> texts;
    for (const CsvRow& row : table.rows()) {
      texts.emplace_back(table.cell(row, key), fmt::format("{}:{}", table.origin(), row.line));
    }
    return texts;
  }
  throw Error(ErrorKind::kInput, fmt::format("{}:1: none of the columns {}", table.origin(),
                                             fmt::join(kTextKeys, ", ")));
}

/// (text, where)
std::vector<std::pair<std::string, std::string>> texts_of(const fs::path& file) {
  const std::string text = judge_file_text(file);
  const std::string ending = file.extension().string();
  if (ending == ".csv") return texts_of_table(CsvTable(text, file.string()));
  if (ending == ".tsv") return texts_of_table(CsvTable(text, file.string(), '\t'));
  std::vector<std::pair<std::string, std::string>> texts;
  if (ending == ".json") {
    const JudgeJson list = parse_judge_json(text, file.string());
    if (!list.is_array()) {
      throw Error(ErrorKind::kInput, file.string() + ": expected a JSON list of prompts");
    }
    for (size_t i = 0; i < list.size(); ++i) {
      const std::string where = fmt::format("{}: item {}", file.string(), i);
      texts.emplace_back(prompt_in(list[i], where), where);
    }
    return texts;
  }
  for (const TextLine& line : lines_of(text)) {
    const std::string where = fmt::format("{}:{}", file.string(), line.number);
    if (trimmed(line.text).empty()) continue;
    if (ending == ".jsonl") {
      const JudgeJson item = parse_judge_json(line.text, file.string(), line.number);
      texts.emplace_back(prompt_in(item, where), where);
    } else {
      texts.emplace_back(line.text, where);
    }
  }
  return texts;
}

}  // namespace

fs::path prompt_file(const fs::path& path, const std::vector<std::string>& below) {
  std::error_code unknown;
  if (fs::is_regular_file(path, unknown)) return path;
  if (!fs::is_directory(path, unknown)) {
    throw Error(ErrorKind::kInput,
                fmt::format("--prompts {}: no such file or folder", path.string()));
  }
  for (const std::string& name : below) {
    if (fs::exists(path / name, unknown)) return path / name;
  }
  throw Error(ErrorKind::kInput, fmt::format("--prompts {}: none of {} in this folder",
                                             path.string(), fmt::join(below, ", ")));
}

PromptList read_any_prompts(const fs::path& file) {
  PromptList list{.files = {file}};
  for (auto& [text, where] : texts_of(file)) {
    const std::string key = std::to_string(list.prompts.size());
    list.prompts.push_back({.key = key, .text = text, .where = where});
  }
  return list;
}

void complete_prompt_list(PromptList& list) {
  const std::string files = list.files.empty() ? "the prompt list" : list.files.front().string();
  if (list.prompts.empty()) throw Error(ErrorKind::kInput, files + ": no prompt in it");
  std::map<std::pair<std::string, std::string>, const JudgePrompt*> seen;
  Sha256 digest;
  for (const JudgePrompt& prompt : list.prompts) {
    const auto refuse = [&](const std::string& what) {
      throw Error(ErrorKind::kInput, fmt::format("{}: {}", prompt.where, what));
    };
    if (trimmed(prompt.text).empty()) refuse("an empty prompt");
    for (const std::string& name : {prompt.key, prompt.group}) {
      const bool is_path = name == "." || name == ".." ||
                           name.find_first_of(std::string_view("/\0\n\\", 4)) != std::string::npos;
      if (is_path) refuse(fmt::format("'{}' cannot be part of a file's name", name));
    }
    if (prompt.key.empty()) refuse("an empty id");
    const auto [place, is_new] = seen.emplace(std::pair(prompt.group, prompt.key), &prompt);
    if (!is_new) {
      refuse(fmt::format("'{}' is there already, at {}", prompt.key, place->second->where));
    }
    digest.update(fmt::format("{}\n{}\n{}\n", prompt.group, prompt.key, prompt.text));
  }
  list.sha256 = digest.hex_digest();
}

std::map<std::string, std::string> read_rewritten(const fs::path& file) {
  const JudgeJson json = parse_judge_json(judge_file_text(file), file.string());
  if (!json.is_object()) {
    throw Error(ErrorKind::kInput,
                file.string() + ": expected a JSON object {\"original prompt\": \"rewritten\"}");
  }
  std::map<std::string, std::string> rewritten;
  for (const auto& [original, text] : json.items()) {
    if (!text.is_string()) {
      throw Error(ErrorKind::kInput,
                  fmt::format("{}: '{}': expected a text", file.string(), original));
    }
    rewritten[with_single_blanks(original)] = text.get<std::string>();
  }
  return rewritten;
}

}  // namespace kvscope
