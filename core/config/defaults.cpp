#include "core/config/defaults.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "core/base/error.h"
#include "core/config/defaults_item.h"
#include "core/config/format.h"

namespace kvscope {
namespace {

constexpr int kDeepest = 64;

[[noreturn]] void fail(const std::string& where, const std::string& what) {
  throw Error(ErrorKind::kConfig, where.empty() ? what : where + ": " + what);
}

std::string joined(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

/// What decides a group's option: the command line, or an `override` item of some config.
struct Choice {
  DefaultsValue value;
  std::string origin;  // where it was said
  bool external = false;
  bool used = false;
};

struct Deletion {
  std::optional<std::string> name;
  std::string input;
  bool used = false;
};

class Expansion {
 public:
  Expansion(ConfigRepository& repository, const std::vector<Override>& overrides, bool skip_missing)
      : repository_(repository), skip_missing_(skip_missing) {
    for (const Override& override : overrides) take_override(override);
  }

  DefaultsResult run(const std::string& config_name) {
    DefaultsItem primary = config_item(config_name);
    DefaultsItem hydra = config_item("hydra/config");
    const Entries own = expand(primary, true, false, "<root>", 0);
    result_.entries = expand(hydra, false, false, "<root>", 0);
    result_.entries.insert(result_.entries.end(), own.begin(), own.end());
    draw_tree();
    check_choices_used();
    check_deletions_used();
    check_repeats();
    return std::move(result_);
  }

 private:
  using Entries = std::vector<DefaultsEntry>;

  static DefaultsItem config_item(const std::string& path) {
    DefaultsItem item;
    item.path = path;
    return item;
  }

  // --- the command line -----------------------------------------------------------------------

  void take_override(const Override& override) {
    const ConfigNode value = override.node();
    const std::string where = fmt::format("override '{}'", override.input);
    if (value.is_map() || !repository_.group_exists(override.key)) {
      if (override.package) {
        fail(where, fmt::format("'{}' is no config group. {}", override.key,
                                suggestion(override.key, repository_.groups())));
      }
      result_.value_overrides.push_back(override);
      return;
    }
    const std::string key = override.group_key();
    if (override.kind == OverrideKind::kForceAdd) {
      fail(where, fmt::format("'{}' is a config group; add it with +{}=OPTION", override.key, key));
    }
    if (override.kind == OverrideKind::kDelete) {
      if (!value.is_null() && !value.is_string()) fail(where, "a group's option is a word");
      Deletion deletion;
      if (value.is_string()) deletion.name = value.as_string();
      deletion.input = override.input;
      deletions_[key] = deletion;
      return;
    }
    if (!value.is_string() && !value.is_list()) {
      fail(where,
           fmt::format(
               "an option of group '{}' is a word, not {}; quote names like 1, inf or null. {}",
               override.key, kind_name(value.kind()),
               suggestion(python_text(value), repository_.options(override.key))));
    }
    if (override.kind == OverrideKind::kAdd) {
      DefaultsItem item;
      item.is_group = true;
      item.path = override.key;
      item.package = override.package;
      item.value = defaults_value(value, where);
      item.appended = true;
      item.origin = where;
      appended_.push_back(item);
    } else {
      choices_[key] = {defaults_value(value, where), where, true, false};
    }
  }

  // --- expansion ------------------------------------------------------------------------------

  /// Expands an item as a node of the tree.
  Entries expand(
      DefaultsItem& item, bool primary, bool interpolated, const std::string& parent, int depth) {
    const size_t node = labels_.size();
    labels_.emplace_back();
    Entries all = expand_item(item, primary, interpolated, parent, depth);
    labels_[node] = label_of(item);
    for (DefaultsEntry& entry : all) entry.nodes.insert(entry.nodes.begin(), node);
    return all;
  }

  Entries expand_item(
      DefaultsItem& item, bool primary, bool interpolated, const std::string& parent, int depth) {
    if (depth > kDeepest) {
      fail(item.origin, fmt::format("defaults lists nested deeper than {}: '{}' includes itself",
                                    kDeepest, item.path));
    }
    if (item.is_group && item.value.missing) {
      if (skip_missing_) return {};
      fail(item.origin,
           fmt::format("choose an option of '{0}': {0}=OPTION. Options: {1}", item.override_key(),
                       joined(repository_.options(item.group_path()))));
    }
    if (item.is_group && item.value.name) {
      if (const LoadedConfig* loaded = repository_.load(item.config_path()))
        item.header = loaded->package;
    } else if (!item.is_group) {
      if (const LoadedConfig* loaded = repository_.load(item.config_path()))
        item.header = loaded->package;
    }
    if (delete_if_asked(item)) return {};
    remember_choice(item);
    if (item.is_group && !item.value.name) return {DefaultsEntry{.parent = parent}};
    const std::string path = item.config_path();
    const LoadedConfig* loaded = repository_.load(path);
    if (!loaded) {
      if (item.optional) return {DefaultsEntry{.parent = parent}};
      fail_not_found(item, primary);
    }
    const DefaultsEntry self{path,
                             item.final_package(),
                             parent,
                             false,
                             item.is_group && !item.from_list ? item.override_key() : "",
                             item.origin,
                             {}};
    std::vector<DefaultsItem> list = read_list(*loaded, primary);
    for (DefaultsItem& child : list) child.attach(item);
    take_overrides(list, interpolated);
    const bool only_overrides = std::ranges::all_of(list, &DefaultsItem::is_override);
    if (list.empty() || only_overrides) return {self};
    return expand_list(list, item, self, interpolated, depth);
  }

  std::vector<DefaultsItem> read_list(const LoadedConfig& loaded, bool primary) const {
    std::vector<DefaultsItem> list;
    if (loaded.defaults) list = parse_defaults_list(*loaded.defaults);
    const bool has_self = std::ranges::any_of(list, &DefaultsItem::is_self);
    const bool bare = std::ranges::all_of(list, &DefaultsItem::is_override);
    if (!has_self && (!bare || (primary && !appended_.empty()))) {
      DefaultsItem self;
      self.path = "_self_";
      self.is_self = true;
      list.push_back(self);
    }
    if (primary) list.insert(list.end(), appended_.begin(), appended_.end());
    return list;
  }

  /// Registers `override` items before anything of the list is expanded.
  void take_overrides(const std::vector<DefaultsItem>& list, bool interpolated) {
    const DefaultsItem* seen = nullptr;
    for (const DefaultsItem& item : list) {
      if (item.is_self || item.appended) continue;
      if (!item.is_override) {
        if (seen) {
          fail(item.origin, fmt::format("'{}' after 'override {}'; overrides end a defaults list",
                                        item.path, seen->path));
        }
        continue;
      }
      seen = &item;
      if (interpolated) {
        fail(item.origin, "an override inside a config that is chosen by interpolation");
      }
      choices_.try_emplace(item.override_key(), Choice{item.value, item.origin, false, false});
    }
  }

  Entries expand_list(std::vector<DefaultsItem>& list,
                      const DefaultsItem& parent,
                      DefaultsEntry self,
                      bool interpolated,
                      int depth) {
    std::vector<Entries> parts(list.size());
    std::vector<size_t> deferred;  // chosen by interpolation: after everything else is known
    const std::string& path = self.config_path;
    for (size_t i = list.size(); i-- > 0;) {
      DefaultsItem& item = list[i];
      if (item.is_self) {
        self.is_self = true;
        self.override_key.clear();
        parts[i] = {self};
        continue;
      }
      if (item.is_override) continue;
      choose(item);
      if (item.is_group && item.value.is_list) {
        for (const std::string& option : item.value.options) {
          if (option.find("${") != option.npos)
            fail(item.origin, "an interpolation in a list of options");
        }
        // Hydra visits the options from the last, so that an experiment's overrides come first.
        std::vector<Entries> options(item.value.options.size());
        for (size_t k = options.size(); k-- > 0;) {
          DefaultsItem option = item.option(item.value.options[k]);
          option.attach(parent);
          options[k] = expand(option, false, interpolated, path, depth + 1);
        }
        for (const Entries& one : options) parts[i].insert(parts[i].end(), one.begin(), one.end());
      } else if (item.is_interpolation()) {
        deferred.push_back(i);
      } else {
        parts[i] = expand(item, false, interpolated, path, depth + 1);
      }
    }
    for (const size_t i : deferred) {
      resolve_choice(list[i]);
      list[i].attach(parent);
      parts[i] = expand(list[i], false, true, path, depth + 1);
    }
    Entries all;
    for (const Entries& part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
  }

  void choose(DefaultsItem& item) {
    if (!item.is_group) return;
    const auto choice = choices_.find(item.override_key());
    if (choice == choices_.end()) return;
    item.value = choice->second.value;
    item.origin = choice->second.origin;
    choice->second.used = true;
  }

  /// `db_server: ${db}_${server}`: options of groups known so far.
  void resolve_choice(DefaultsItem& item) const {
    std::string& text = item.is_group ? *item.value.name : item.path;
    std::string out;
    for (size_t i = 0; i < text.size();) {
      const size_t end = text.compare(i, 2, "${") == 0 ? text.find('}', i) : text.npos;
      if (end == text.npos) {
        out += text[i++];
        continue;
      }
      const std::string key = text.substr(i + 2, end - i - 2);
      std::vector<std::string> known;
      const std::string* value = nullptr;
      for (const auto& [name, option] : result_.choices) {
        known.push_back(name);
        if (name == key) value = &option;
      }
      if (!value) {
        fail(item.origin,
             fmt::format("'{}' refers to no group chosen here. {}", text, suggestion(key, known)));
      }
      out += *value;
      i = end + 1;
    }
    text = out;
  }

  // --- the tree -------------------------------------------------------------------------------

  static std::string label_of(const DefaultsItem& item) {
    if (!item.is_group || item.value.is_list) return item.config_path();
    return item.override_key() + ": " + item.value.name.value_or("null");
  }

  /// Lines of the nodes that the entries lie in; then entries that chose nothing are taken out.
  void draw_tree() {
    result_.tree = {{0, "<root>:"}};
    std::vector<size_t> open;  // the nodes of the line before
    for (const DefaultsEntry& entry : result_.entries) {
      const auto [old, now] = std::ranges::mismatch(open, entry.nodes);
      for (auto node = now; node != entry.nodes.end(); ++node) {
        const auto depth = static_cast<size_t>(node - entry.nodes.begin()) + 1;
        const bool is_leaf = depth == entry.nodes.size() && !entry.is_self;
        result_.tree.push_back({depth, labels_[*node] + (is_leaf ? "" : ":")});
      }
      if (entry.is_self) result_.tree.push_back({entry.nodes.size() + 1, "_self_"});
      open = entry.nodes;
    }
    std::erase_if(result_.entries,
                  [](const DefaultsEntry& entry) { return entry.config_path.empty(); });
  }

  // --- bookkeeping ----------------------------------------------------------------------------

  bool delete_if_asked(const DefaultsItem& item) {
    if (!item.is_group) return false;
    const auto deletion = deletions_.find(item.override_key());
    if (deletion == deletions_.end()) return false;
    if (deletion->second.name && deletion->second.name != item.value.name) return false;
    deletion->second.used = true;
    return true;
  }

  void remember_choice(const DefaultsItem& item) {
    if (!item.is_group || item.from_list) return;
    const std::string key = item.override_key();
    const std::string name = item.value.name.value_or("null");
    for (const auto& [known, option] : result_.choices) {
      if (known != key) continue;
      if (option != name) {
        fail(item.origin, fmt::format("several values for '{0}': {1} and {2}. To change a choice "
                                      "write 'override {0}: {2}' "
                                      "in a file, or {0}={2} without + on the command line",
                                      key, name, option));
      }
      return;
    }
    result_.choices.emplace_back(key, name);
    keys_of_group_[item.group_path()].insert(key);
  }

  void check_choices_used() const {
    for (const auto& [key, choice] : choices_) {
      if (choice.used) continue;
      const std::string group = key.substr(0, key.find('@'));
      const auto known = keys_of_group_.find(group);
      std::string hint;
      if (known != keys_of_group_.end()) {
        constexpr size_t kMostNames = 3;
        std::vector<std::string> names(known->second.begin(), known->second.end());
        if (names.size() > kMostNames) names.resize(kMostNames);
        hint = fmt::format("Did you mean {}?", fmt::join(names, " or "));
      } else {
        std::vector<std::string> names;
        for (const auto& [name, option] : result_.choices) names.push_back(name);
        hint = suggestion(key, names);
      }
      if (choice.external) {
        hint += fmt::format(" To add it to the defaults list use +{}={}{}{}", key,
                            choice.value.is_list ? "[" : "", fmt::join(choice.value.options, ","),
                            choice.value.is_list ? "]" : "");
      }
      fail(choice.origin, fmt::format("'{}' is not in the defaults list. {}", key, hint));
    }
  }

  void check_deletions_used() const {
    for (const auto& [key, deletion] : deletions_) {
      if (deletion.used) continue;
      std::vector<std::string> names;
      for (const auto& [name, option] : result_.choices) names.push_back(name + "=" + option);
      fail(fmt::format("override '{}'", deletion.input),
           fmt::format("nothing to delete in the defaults list. Chosen: {}", joined(names)));
    }
  }

  void check_repeats() const {
    std::set<std::string> keys;
    for (const DefaultsEntry& entry : result_.entries) {
      if (entry.is_self || entry.override_key.empty()) continue;
      if (!keys.insert(entry.override_key).second) {
        fail("config '" + entry.parent + "'",
             fmt::format("'{}' appears more than once in the defaults lists", entry.override_key));
      }
    }
  }

  [[noreturn]] void fail_not_found(const DefaultsItem& item, bool primary) const {
    const std::string path = item.config_path();
    const size_t slash = path.rfind('/');
    const std::string group = slash == path.npos ? "" : path.substr(0, slash);
    const std::string name = slash == path.npos ? path : path.substr(slash + 1);
    if (primary) {
      std::vector<std::string> folders;
      for (const auto& folder : repository_.folders()) folders.push_back(folder.string());
      fail("", fmt::format("no primary config '{}.yaml' in {}. {}", path, joined(folders),
                           suggestion(name, repository_.options(group))));
    }
    if (!group.empty() && !repository_.group_exists(group)) {
      fail(item.origin, fmt::format("no such config group '{}'. {}", group,
                                    suggestion(group, repository_.groups())));
    }
    fail(item.origin, fmt::format("no such option '{}' in group '{}'. {}", name, group,
                                  suggestion(name, repository_.options(group))));
  }

  ConfigRepository& repository_;
  bool skip_missing_;
  DefaultsResult result_;
  std::map<std::string, Choice> choices_;
  std::map<std::string, Deletion> deletions_;
  std::vector<DefaultsItem> appended_;
  std::map<std::string, std::set<std::string>> keys_of_group_;
  std::vector<std::string> labels_;  // of the tree's nodes, in the order they are reached
};

}  // namespace

DefaultsResult expand_defaults(ConfigRepository& repository,
                               const std::string& config_name,
                               const std::vector<Override>& overrides,
                               bool skip_missing) {
  return Expansion(repository, overrides, skip_missing).run(config_name);
}

}  // namespace kvscope
