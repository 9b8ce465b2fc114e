#include "experiments/completion/config_words.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "analysis/metrics/registry.h"
#include "core/config/declared_words.h"
#include "core/config/repository.h"
#include "experiments/judges/judge.h"
#include "experiments/paper/paper_item.h"
#include "experiments/sweep/run_keys.h"

namespace kvscope {
namespace {

/// A key with what completion knows of it.
struct KnownKey {
  std::string help{};
  std::vector<std::string> words{};
  bool is_text = false;
};
using KnownKeys = std::map<std::string, KnownKey>;

void add_leaves(const ConfigNode& node, const std::string& key, KnownKeys& keys) {
  if (!node.is_map() || node.size() == 0) {
    keys.try_emplace(key);
    return;
  }
  for (const ConfigEntry& entry : node.entries()) {
    add_leaves(entry.value, key.empty() ? entry.name : key + "." + entry.name, keys);
  }
}

/// Every declared key: of all models and policies, and Hydra's own.
KnownKeys declared_keys(ConfigRepository& repository) {
  KnownKeys keys;
  for (const std::vector<RunKey>& some : {run_keys(), policy_keys(ComponentRegistry())}) {
    for (const RunKey& key : some) {
      KnownKey& known = keys[key.option.key];
      if (known.help.empty()) known.help = key.option.help;
      known.is_text = known.is_text || key.option.is_text;
      std::vector<std::string> words = declared_words(key.option);
      if (key.option.nullable && !words.empty()) words.emplace_back("null");
      for (const std::string& word : words) {
        if (std::ranges::find(known.words, word) == known.words.end()) known.words.push_back(word);
      }
    }
  }
  if (const LoadedConfig* hydra = repository.load("hydra/config")) {
    add_leaves(hydra->body, "hydra", keys);
  }
  keys["hydra.sweeper.params"].help = "what a sweep sweeps over: a mapping of keys to values";
  return keys;
}

/// Groups that the primary config chooses an option of: they are changed without a sign.
std::set<std::string> chosen_groups(ConfigRepository& repository, const std::string& config_name) {
  std::set<std::string> groups;
  const LoadedConfig* primary = repository.load(config_name);
  if (primary == nullptr || !primary->defaults) return groups;
  for (const ConfigNode& item : primary->defaults->items()) {
    if (!item.is_map() || item.size() == 0) continue;
    const std::string& name = item.entries().front().name;
    groups.insert(name.substr(name.find_last_of(" /") + 1));
  }
  return groups;
}

/// The next part of names that begin with `typed`: "policy." and "seed=" of "policy.score", "seed".
class NextParts {
 public:
  NextParts(std::string sign, std::string typed)
      : sign_(std::move(sign)), typed_(std::move(typed)) {}

  void add(const std::string& name, char separator, char end, const std::string& help) {
    if (!name.starts_with(typed_)) return;
    const size_t next = name.find(separator, typed_.size());
    const bool is_whole = next == name.npos;
    const std::string part = is_whole ? name + end : name.substr(0, next + 1);
    if (!seen_.insert(part).second) return;
    completion_.candidates.push_back({.word = sign_ + part, .help = is_whole ? help : ""});
  }

  [[nodiscard]] Completion take() { return std::move(completion_); }

 private:
  std::string sign_;
  std::string typed_;
  std::set<std::string> seen_;
  Completion completion_;
};

std::string sign_of(const std::string& typed) {
  if (typed.starts_with("++")) return "++";
  return typed.starts_with('+') || typed.starts_with('~') ? typed.substr(0, 1) : "";
}

Completion names(ConfigRepository& repository,
                 const ConfigArguments& arguments,
                 const std::string& typed) {
  const std::string sign = sign_of(typed);
  const std::string rest = typed.substr(sign.size());
  const std::set<std::string> chosen = chosen_groups(repository, arguments.config_name);
  NextParts parts(sign, rest);
  NextParts added("+", rest);  // groups that nothing has chosen yet, where nothing is typed
  for (const std::string& group : repository.groups()) {
    if (repository.options(group).empty()) continue;
    const bool is_added = !chosen.contains(group);
    if (is_added && sign.empty() && typed.empty()) added.add(group, '/', '=', "a group of configs");
    if (is_added == (sign == "+")) parts.add(group, '/', '=', "a group of configs");
  }
  for (const auto& [key, known] : declared_keys(repository)) parts.add(key, '.', '=', known.help);
  Completion completion = parts.take();
  Completion more = added.take();
  std::ranges::move(more.candidates, std::back_inserter(completion.candidates));
  return completion;
}

Completion values(ConfigRepository& repository,
                  bool multirun,
                  const std::string& key,
                  const std::string& typed,
                  const std::string& before) {
  const size_t comma = multirun ? typed.rfind(',') : typed.npos;
  const std::string done = comma == typed.npos ? "" : typed.substr(0, comma + 1);
  const std::string rest = typed.substr(done.size());
  std::vector<std::string> words = repository.options(key);
  Completion completion;
  if (words.empty()) {
    const KnownKeys keys = declared_keys(repository);
    const auto known = keys.find(key);
    if (known == keys.end()) return completion;
    words = known->second.words;
    const bool may_be_file = known->second.is_text && key != "prompt" && key != "name";
    if (may_be_file || key.ends_with(".dir")) completion.files = OfferedFiles::kFiles;
  }
  for (const std::string& word : words) {
    if (word.starts_with(rest)) {
      std::string whole = before;
      whole.append(done).append(word);
      completion.candidates.push_back({.word = std::move(whole), .help = ""});
    }
  }
  return completion;
}

ConfigRepository repository_of(const ConfigArguments& arguments) {
  ConfigArguments only_folders = arguments;
  only_folders.overrides.clear();
  return ConfigRepository(compose_request(only_folders).folders);
}

}  // namespace

Completion override_words(const ConfigArguments& arguments, const std::string& typed) {
  ConfigRepository repository = repository_of(arguments);
  const size_t equals = typed.find('=');
  if (equals == typed.npos) return names(repository, arguments, typed);
  const std::string key = typed.substr(sign_of(typed).size(), equals - sign_of(typed).size());
  return values(repository, arguments.multirun, key.substr(0, key.find('@')),
                typed.substr(equals + 1), typed.substr(0, equals + 1));
}

Completion key_words(const ConfigArguments& arguments, const std::string& typed) {
  ConfigRepository repository = repository_of(arguments);
  Completion completion;
  std::set<std::string> keys;
  for (const auto& [key, known] : declared_keys(repository)) {
    for (size_t dot = key.find('.'); dot != key.npos; dot = key.find('.', dot + 1)) {
      keys.insert(key.substr(0, dot));
    }
    keys.insert(key);
  }
  for (const std::string& key : keys) {
    const bool is_deeper = key.find('.', typed.size()) != key.npos;
    if (key.starts_with(typed) && !is_deeper) completion.candidates.push_back({.word = key});
  }
  return completion;
}

Completion primary_config_words(const ConfigArguments& arguments, const std::string& typed) {
  Completion completion;
  for (const std::string& name : repository_of(arguments).options("")) {
    if (name.starts_with(typed)) completion.candidates.push_back({.word = name});
  }
  return completion;
}

Completion describable_words(const ConfigArguments& arguments, const std::string& typed) {
  ConfigRepository repository = repository_of(arguments);
  Completion completion;
  for (const std::string& group : repository.groups()) {
    for (const std::string& option : repository.options(group)) {
      std::string word = group;
      word.append("/").append(option);
      if (word.starts_with(typed)) completion.candidates.push_back({.word = word});
    }
  }
  for (const auto& [key, known] : declared_keys(repository)) {
    if (key.starts_with(typed)) completion.candidates.push_back({.word = key, .help = known.help});
  }
  return completion;
}

std::vector<Candidate> judge_words(const ConfigArguments& /*arguments*/) {
  std::vector<Candidate> words;
  for (const Judge& judge : judges()) words.push_back({.word = judge.name, .help = judge.title});
  return words;
}

std::vector<Candidate> metric_words(const ConfigArguments& /*arguments*/) {
  std::vector<Candidate> words;
  for (const Metric& metric : metrics())
    words.push_back({.word = metric.name, .help = metric.title});
  return words;
}

std::vector<Candidate> metric_or_all_words(const ConfigArguments& arguments) {
  std::vector<Candidate> words = metric_words(arguments);
  words.push_back({.word = "all", .help = "those that a table of the sweep shows"});
  return words;
}

std::vector<Candidate> paper_words(const ConfigArguments& arguments) {
  ConfigRepository repository = repository_of(arguments);
  std::vector<Candidate> words;
  for (const PaperItem& item : paper_items(repository)) {
    words.push_back({.word = item.name, .help = item.shows});
  }
  return words;
}

}  // namespace kvscope
