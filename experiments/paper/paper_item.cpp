#include "experiments/paper/paper_item.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "analysis/metrics/registry.h"
#include "core/base/error.h"
#include "core/config/options.h"

namespace kvscope {
namespace {

constexpr const char* kGroup = "paper";

const ConfigNode* list_at(Options& options, const char* key, const char* accepts) {
  const ConfigNode* node =
      options.value({.key = key, .accepts = accepts, .help = "of a file of configs/paper"});
  if (node == nullptr || node->is_null()) return nullptr;
  if (node->is_list()) return node;
  throw Error(ErrorKind::kConfig, fmt::format("{}: expected {}", options.place(key), accepts));
}

std::vector<std::vector<std::string>> read_commands(Options& options) {
  std::vector<std::vector<std::string>> commands;
  const ConfigNode* list = list_at(options, "commands", "a list of lists of words");
  for (size_t i = 0; list != nullptr && i < list->size(); ++i) {
    std::vector<std::string> words;
    for (const ConfigNode& word : list->items()[i].items()) words.push_back(word.as_string());
    commands.push_back(std::move(words));
  }
  return commands;
}

PublishedSeries read_series(const std::string& where, const ConfigNode& node) {
  Options options(where, node);
  PublishedSeries series{
      .source = options.word({.key = "source", .help = "where in the paper"}),
      .model = options.word({.key = "model", .help = "of the numbers"}),
      .metric = options.word({.key = "metric",
                              .allowed = metric_names(),
                              .help = "of kvscope, that stands beside them"}),
      .called =
          options.word_or_null({.key = "called", .help = "the paper's own metric"}).value_or("")};
  const ConfigNode* values = list_at(options, "values", "a list of [policy, budget, value]");
  options.finish();
  for (size_t i = 0; values != nullptr && i < values->size(); ++i) {
    const ConfigNode& value = values->items()[i];
    if (!value.is_list() || value.size() != 3) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("{}.values.{}: expected [policy, budget, value]", where, i));
    }
    series.values.push_back({.policy = value.items()[0].as_string(),
                             .budget = value.items()[1].as_string(),
                             .value = value.items()[2].as_double()});
  }
  return series;
}

PaperItem read_item(const std::string& name, const ConfigNode& body) {
  const std::string where = fmt::format("{}/{}", kGroup, name);
  Options options(where, body);
  PaperItem item{
      .name = name,
      .work = options.word({.key = "work", .help = "the paper"}),
      .item = options.word({.key = "item", .help = "which figure or table"}),
      .shows = options.word({.key = "shows", .help = "what it shows"}),
      .claim = options.word_or_null({.key = "claim", .help = "what is concluded"}).value_or(""),
      .needs = options.word_or_null({.key = "needs", .help = "what has to be given"}).value_or(""),
      .minutes = options.integer(
          {.key = "minutes", .default_value = 0, .min = 0, .unit = "minutes", .help = "it takes"}),
      .commands = read_commands(options),
      .sweep = options.word_or_null({.key = "sweep", .help = "folder of the sweep"}).value_or("")};
  const ConfigNode* published = list_at(options, "published", "a list of series");
  options.finish();
  for (size_t i = 0; published != nullptr && i < published->size(); ++i) {
    item.published.push_back(
        read_series(fmt::format("{}.published.{}", where, i), published->items()[i]));
  }
  return item;
}

void replace_all(std::string& text, const std::string& what, const std::string& by) {
  for (size_t at = text.find(what); at != text.npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
}

}  // namespace

std::vector<PaperItem> paper_items(ConfigRepository& repository) {
  std::vector<PaperItem> items;
  for (const std::string& name : repository.options(kGroup)) {
    const LoadedConfig* loaded = repository.load(fmt::format("{}/{}", kGroup, name));
    if (loaded != nullptr) items.push_back(read_item(name, loaded->body));
  }
  return items;
}

PaperItem paper_item(ConfigRepository& repository, const std::string& name) {
  const std::vector<std::string> known = repository.options(kGroup);
  std::vector<std::string> found;
  for (const std::string& one : known) {
    if (one == name) found = {one};
    if (one == name) break;
    if (one.starts_with(name)) found.push_back(one);
  }
  if (found.size() == 1) {
    return read_item(found.front(),
                     repository.load(fmt::format("{}/{}", kGroup, found.front()))->body);
  }
  throw Error(ErrorKind::kConfig,
              found.empty() ? fmt::format("no item '{}'. {}", name, suggestion(name, known))
                            : fmt::format("'{}' may be any of {}", name, fmt::join(found, ", ")));
}

std::vector<std::vector<std::string>> filled_commands(const PaperItem& item,
                                                      const std::string& folder,
                                                      const std::vector<std::string>& overrides) {
  std::vector<std::vector<std::string>> filled;
  for (const std::vector<std::string>& command : item.commands) {
    std::vector<std::string> words;
    for (std::string word : command) {
      if (word == "{overrides}") {
        words.insert(words.end(), overrides.begin(), overrides.end());
        continue;
      }
      replace_all(word, "{folder}", folder);
      words.push_back(std::move(word));
    }
    filled.push_back(std::move(words));
  }
  return filled;
}

}  // namespace kvscope
