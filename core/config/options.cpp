#include "core/config/options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "core/base/error.h"
#include "core/config/format.h"
#include "core/config/path.h"

namespace kvscope {
namespace {

bool is_bool(const ConfigNode& node) {
  return node.kind() == ConfigKind::kBool;
}
bool is_integer(const ConfigNode& node) {
  return node.kind() == ConfigKind::kInt;
}
bool is_number(const ConfigNode& node) {
  return node.kind() == ConfigKind::kInt || node.kind() == ConfigKind::kFloat;
}
bool is_word(const ConfigNode& node) {
  return node.is_string();
}
bool is_integer_or_word(const ConfigNode& node) {
  return is_integer(node) || is_word(node);
}
bool is_anything(const ConfigNode& /*node*/) {
  return true;
}
bool are_integers(const ConfigNode& node) {
  return is_integer(node) || (node.is_list() && std::ranges::all_of(node.items(), is_integer));
}
bool are_numbers(const ConfigNode& node) {
  return is_number(node) || (node.is_list() && std::ranges::all_of(node.items(), is_number));
}
bool are_words(const ConfigNode& node) {
  return is_word(node) || (node.is_list() && std::ranges::all_of(node.items(), is_word));
}

/// The items of a list; anything else is a list of one.
std::span<const ConfigNode> items_of(const ConfigNode& node) {
  if (node.is_list()) return node.items();
  return {&node, 1};
}

/// As a user types the value behind `key=`.
std::string typed(const ConfigNode& node) {
  return node.is_string() ? node.as_string() : canonical_json(node);
}

std::string plain(int64_t value) {
  return std::to_string(value);
}
std::string plain(double value) {
  constexpr double kWhole = 1e15;
  const bool whole = value == std::floor(value) && std::abs(value) < kWhole;
  return whole ? std::to_string(static_cast<int64_t>(value)) : format_float(value);
}

/// "int, 1..31": a type with the range that is open where the bound is the type's own.
template <class Key, class Number>
std::string ranged(const std::string& type, const Key& key, Number lowest, Number highest) {
  const bool low = key.min > lowest;
  const bool high = key.max < highest;
  if (low && high) return fmt::format("{}, {}..{}", type, plain(key.min), plain(key.max));
  if (low) return fmt::format("{}, at least {}", type, plain(key.min));
  return high ? fmt::format("{}, at most {}", type, plain(key.max)) : type;
}

template <class Key>
std::string ranged_integers(const std::string& type, const Key& key) {
  using Limits = std::numeric_limits<int64_t>;
  return ranged(type, key, Limits::min(), Limits::max());
}

template <class Key>
std::string ranged_numbers(const std::string& type, const Key& key) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  return ranged(type, key, -kInfinity, kInfinity);
}

std::string of_words(const std::string& type, const std::vector<std::string>& allowed) {
  if (allowed.empty()) return type;
  return fmt::format("{}, one of {}", type, fmt::join(allowed, " "));
}

template <class Value>
ConfigNode list_of(const std::vector<Value>& values) {
  std::vector<ConfigNode> items;
  items.reserve(values.size());
  for (const Value& value : values) items.emplace_back(value);
  return ConfigNode::list(std::move(items));
}

/// What all keys have.
template <class Key>
OptionInfo info_of(const Key& key, std::string accepts) {
  OptionInfo option;
  option.name = key.key;
  option.accepts = std::move(accepts);
  option.help = key.help;
  option.identity = key.identity;
  if (key.default_value) option.default_value = ConfigNode(*key.default_value);
  if constexpr (requires { key.unit; }) option.unit = key.unit;
  if constexpr (requires { key.default_from; }) option.default_from = key.default_from;
  if constexpr (requires { key.is_text; }) option.is_text = key.is_text;
  return option;
}

/// Of a key whose default is a list.
template <class Key>
OptionInfo list_info_of(Key key, std::string accepts) {
  ValueKey plain_key{.key = key.key, .help = key.help, .identity = key.identity};
  OptionInfo option = info_of(plain_key, std::move(accepts));
  if (key.default_value) option.default_value = list_of(*key.default_value);
  if constexpr (requires { key.unit; }) option.unit = key.unit;
  if constexpr (requires { key.default_from; }) option.default_from = key.default_from;
  return option;
}

OptionInfo word_info_of(const WordKey& key) {
  OptionInfo option = info_of(key, of_words("string", key.allowed));
  option.is_text = key.allowed.empty();
  return option;
}

OptionInfo or_null(OptionInfo option) {
  option.nullable = true;
  return option;
}

constexpr const char* kKnownHere = "Known here: ";

/// The places of all values that are no mappings.
std::vector<std::string> leaves(const ConfigNode& node, const std::string& path) {
  if (!node.is_map()) return {path};
  std::vector<std::string> found;
  for (const ConfigEntry& entry : node.entries()) {
    for (std::string& leaf : leaves(entry.value, path + "." + entry.name)) {
      found.push_back(std::move(leaf));
    }
  }
  return found;
}

/// Where a value was written; of a mapping that an override made, where its first value was.
std::string origin_of(const ConfigNode& node) {
  std::string own = node.origin().text();
  if (!own.empty() || !node.is_map() || node.size() == 0) return own;
  return origin_of(node.entries().front().value);
}

/// "configs/x.yaml:7:3: " and what is wrong there.
std::string located(const ConfigNode& node, const std::string& what) {
  const std::string origin = origin_of(node);
  return origin.empty() ? what : origin + ": " + what;
}

std::string parent_of(const std::string& path) {
  const size_t dot = path.rfind('.');
  return dot == path.npos ? "" : path.substr(0, dot);
}

std::string last_of(const std::string& path) {
  return path.substr(path.rfind('.') + 1);  // npos + 1 is 0
}

}  // namespace

std::string describe(const OptionInfo& option) {
  std::string text = option.accepts;
  if (!option.unit.empty()) text += ", " + option.unit;
  if (!option.default_from.empty()) {
    text += ", default " + option.default_from;
  } else if (option.default_value) {
    text += ", default " + typed(*option.default_value);
  }
  if (option.nullable) {
    const bool by_default = !option.default_value && option.default_from.empty();
    text += by_default ? ", default null" : ", or null";
  }
  return text;
}

Options::Options(Mode mode, std::string where, const ConfigNode* node)
    : mode_(mode), where_(std::move(where)), node_(node) {
  if (node_ == nullptr || node_->is_map()) return;
  if (!node_->is_null()) {
    complain(node_,
             fmt::format("'{}' must be a mapping, got {}", where_, kind_name(node_->kind())));
  }
  node_ = nullptr;
}

Options::Options(std::string where, const ConfigNode& node)
    : Options(Mode::kReading, std::move(where), &node) {}

Options Options::describing(std::string where) {
  return {Mode::kDescribing, std::move(where), nullptr};
}

Options Options::checking(std::string where, const ConfigNode& node) {
  return {Mode::kChecking, std::move(where), &node};
}

std::string Options::whole(const std::string& name) const {
  return where_.empty() ? name : where_ + "." + name;
}

std::string Options::place(const std::string& key) const {
  const ConfigNode* given = node_ == nullptr ? nullptr : node_->find(key);
  const std::string origin = given == nullptr ? "" : given->origin().text();
  return origin.empty() ? whole(key) : fmt::format("{} ({})", whole(key), origin);
}

void Options::complain(const ConfigNode* node, const std::string& what) {
  const std::string message = node == nullptr ? what : located(*node, what);
  if (mode_ != Mode::kChecking) throw Error(ErrorKind::kConfig, message);
  wrong_values_.push_back(message);
}

const ConfigNode* Options::ask(OptionInfo option, bool (*fits)(const ConfigNode&)) {
  option.key = whole(option.name);
  const auto same_name = [&](const OptionInfo& one) { return one.name == option.name; };
  if (std::ranges::none_of(asked_, same_name)) asked_.push_back(option);
  if (mode_ == Mode::kDescribing) return nullptr;
  const ConfigNode* given = node_ == nullptr ? nullptr : node_->find(option.name);
  if (given == nullptr) {
    if (!option.default_value && option.default_from.empty() && !option.nullable) {
      complain(node_, fmt::format("'{}' is not given; expected {}=... ({})", option.key, option.key,
                                  describe(option)));
    }
    return nullptr;
  }
  if (given->is_null() && option.nullable) return given;
  if (given->is_missing()) {
    complain(given, fmt::format("'{}' has no value yet (\?\?\?); give it as {}=... ({})",
                                option.key, option.key, describe(option)));
    return nullptr;
  }
  if (fits(*given)) return given;
  std::string got = kind_name(given->kind());
  if (!given->is_container() && !given->is_null()) got += " '" + python_text(*given) + "'";
  complain(given, fmt::format("'{}' must be {}, got {}", option.key, describe(option), got));
  return nullptr;
}

template <class Number>
bool Options::in_range(const ConfigNode& node, const OptionInfo& option, Number min, Number max) {
  Number value{};
  if constexpr (std::is_same_v<Number, double>) {
    value = node.as_double();
  } else {
    value = node.as_int64();
  }
  if (value >= min && value <= max && std::isfinite(static_cast<double>(value))) return true;
  const Number nearest = value > max ? max : min;
  std::string near;
  if (std::abs(static_cast<double>(nearest)) < 9e18) {  // else the range is open on that side
    near = fmt::format("; nearest feasible: {}={}", whole(option.name), plain(nearest));
  }
  complain(&node, fmt::format("'{}' is {}; allowed: {}{}", whole(option.name), python_text(node),
                              describe(option), near));
  return false;
}

bool Options::is_allowed(const ConfigNode& node, const OptionInfo& option, const WordKey& key) {
  const std::string& given = node.as_string();
  if (key.allowed.empty() || std::ranges::find(key.allowed, given) != key.allowed.end())
    return true;
  complain(&node, fmt::format("'{}' is '{}'. {}", whole(option.name), given,
                              suggestion(given, key.allowed)));
  return false;
}

int64_t Options::integer(const IntegerKey& key) {
  const OptionInfo option = info_of(key, ranged_integers("int", key));
  const ConfigNode* given = ask(option, is_integer);
  const bool usable = given != nullptr && in_range(*given, option, key.min, key.max);
  return usable ? given->as_int64() : key.default_value.value_or(0);
}

std::optional<int64_t> Options::integer_or_null(const IntegerKey& key) {
  const OptionInfo option = or_null(info_of(key, ranged_integers("int", key)));
  const ConfigNode* given = ask(option, is_integer);
  if (given != nullptr && given->is_null()) return std::nullopt;
  const bool usable = given != nullptr && in_range(*given, option, key.min, key.max);
  return usable ? given->as_int64() : key.default_value;
}

std::optional<int64_t> Options::integer_or_word(const IntegerKey& key, const std::string& word) {
  OptionInfo option = info_of(key, ranged_integers("int", key) + ", or the word " + word);
  if (!option.default_value) option.default_value = ConfigNode(word);
  const ConfigNode* given = ask(option, is_integer_or_word);
  if (given == nullptr) return key.default_value;
  if (given->is_string()) {
    const bool usable = is_allowed(*given, option, {.allowed = {word}});
    return usable ? std::nullopt : key.default_value;
  }
  const bool usable = in_range(*given, option, key.min, key.max);
  return usable ? given->as_int64() : key.default_value;
}

double Options::number(const NumberKey& key) {
  const OptionInfo option = info_of(key, ranged_numbers("float", key));
  const ConfigNode* given = ask(option, is_number);
  const bool usable = given != nullptr && in_range(*given, option, key.min, key.max);
  return usable ? given->as_double() : key.default_value.value_or(0.0);
}

std::optional<double> Options::number_or_null(const NumberKey& key) {
  const OptionInfo option = or_null(info_of(key, ranged_numbers("float", key)));
  const ConfigNode* given = ask(option, is_number);
  if (given != nullptr && given->is_null()) return std::nullopt;
  const bool usable = given != nullptr && in_range(*given, option, key.min, key.max);
  return usable ? given->as_double() : key.default_value;
}

bool Options::flag(const FlagKey& key) {
  const ConfigNode* given = ask(info_of(key, "bool"), is_bool);
  return given != nullptr ? given->as_bool() : key.default_value.value_or(false);
}

std::string Options::word(const WordKey& key) {
  const OptionInfo option = word_info_of(key);
  const ConfigNode* given = ask(option, is_word);
  const bool usable = given != nullptr && is_allowed(*given, option, key);
  return usable ? given->as_string() : key.default_value.value_or("");
}

std::optional<std::string> Options::word_or_null(const WordKey& key) {
  const OptionInfo option = or_null(word_info_of(key));
  const ConfigNode* given = ask(option, is_word);
  if (given != nullptr && given->is_null()) return std::nullopt;
  const bool usable = given != nullptr && is_allowed(*given, option, key);
  return usable ? given->as_string() : key.default_value;
}

std::vector<double> Options::numbers(const NumbersKey& key) {
  const OptionInfo option = list_info_of(key, ranged_numbers("number or list of numbers", key));
  const ConfigNode* given = ask(option, are_numbers);
  if (given == nullptr) return key.default_value.value_or(std::vector<double>{});
  const auto usable = [&](const ConfigNode& one) {
    return in_range(one, option, key.min, key.max);
  };
  if (std::ranges::all_of(items_of(*given), usable)) return given->as_double_list();
  return key.default_value.value_or(std::vector<double>{});
}

std::vector<int64_t> Options::integers(const IntegersKey& key) {
  const OptionInfo option = list_info_of(key, ranged_integers("int or list of ints", key));
  const ConfigNode* given = ask(option, are_integers);
  const auto usable = [&](const ConfigNode& one) {
    return in_range(one, option, key.min, key.max);
  };
  if (given != nullptr && std::ranges::all_of(items_of(*given), usable)) {
    return given->as_int64_list();
  }
  return key.default_value.value_or(std::vector<int64_t>{});
}

std::vector<std::string> Options::words(const WordsKey& key) {
  const OptionInfo option = list_info_of(key, of_words("string or list of strings", key.allowed));
  const ConfigNode* given = ask(option, are_words);
  const WordKey each{.allowed = key.allowed};
  const auto usable = [&](const ConfigNode& one) { return is_allowed(one, option, each); };
  if (given != nullptr && std::ranges::all_of(items_of(*given), usable)) {
    return given->as_string_list();
  }
  return key.default_value.value_or(std::vector<std::string>{});
}

const ConfigNode* Options::value(const ValueKey& key) {
  OptionInfo option = info_of(key, key.accepts);
  option.nullable = !option.default_value;
  return ask(std::move(option), is_anything);
}

void Options::leave_to_others(std::initializer_list<std::string> groups) {
  others_.insert(others_.end(), groups);
}

void Options::unused(const std::string& key, const std::string& why, WrittenIn where) {
  unused_.push_back({.name = key, .why = why, .where = where});
}

std::vector<UnreadKey> Options::unread(const Elsewhere& elsewhere) const {
  std::vector<UnreadKey> unread;
  if (node_ == nullptr) return unread;
  find_unknown(*node_, "", elsewhere, unread);
  for (const Unused& one : unused_) {
    const ConfigNode* given = node_->find(one.name);
    if (given == nullptr || given->is_null() || given->is_missing()) continue;
    if (one.where == WrittenIn::kOverride && !from_command_line(given->origin())) continue;
    const std::string key = whole(one.name);
    unread.push_back(
        {.key = key,
         .finding = located(*given, fmt::format("'{}' is not read: {}", key, one.why))});
  }
  return unread;
}

std::vector<std::string> Options::findings(const Elsewhere& elsewhere) const {
  std::vector<std::string> findings = wrong_values_;
  for (UnreadKey& one : unread(elsewhere)) findings.push_back(std::move(one.finding));
  return findings;
}

void Options::finish(const Elsewhere& elsewhere) const {
  const std::vector<std::string> all = findings(elsewhere);
  if (!all.empty()) throw Error(ErrorKind::kConfig, fmt::format("{}", fmt::join(all, "\n")));
}

void Options::find_unknown(const ConfigNode& node,
                           const std::string& path,
                           const Elsewhere& elsewhere,
                           std::vector<UnreadKey>& unread) const {
  for (const ConfigEntry& entry : node.entries()) {
    const std::string name = path.empty() ? entry.name : path + "." + entry.name;
    const auto is_it = [&](const OptionInfo& option) { return option.name == name; };
    const auto is_below = [&](const OptionInfo& option) {
      return option.name.starts_with(name + ".");
    };
    if (std::ranges::any_of(asked_, is_it)) continue;
    if (path.empty() && std::ranges::find(others_, name) != others_.end()) continue;
    const bool is_group = std::ranges::any_of(asked_, is_below);
    if (is_group && entry.value.is_null()) continue;  // a group that was not chosen
    if (is_group && entry.value.is_map()) {
      find_unknown(entry.value, name, elsewhere, unread);
      continue;
    }
    if (entry.value.is_map() && entry.value.size() == 0) continue;  // says nothing
    if (is_group) {
      const std::string what =
          fmt::format("'{}' must be a mapping, got {}", whole(name), kind_name(entry.value.kind()));
      unread.push_back({.key = whole(name), .finding = located(entry.value, what)});
      continue;
    }
    std::string unknown = name;
    std::string said = hint(name, elsewhere);
    if (elsewhere && elsewhere(whole(name)).empty()) {
      // What is below a group may be known elsewhere, which says more than a name like the group's.
      for (const std::string& leaf : leaves(entry.value, name)) {
        const std::string about = elsewhere(whole(leaf));
        if (about.empty()) continue;
        unknown = leaf;
        said = about;
        break;
      }
    }
    const ConfigNode* written = node_->find(unknown);  // none: a key with a dot in its name
    const std::string what = fmt::format("unknown key '{}'. {}", whole(unknown), said);
    unread.push_back({.key = whole(name),
                      .finding = located(written == nullptr ? entry.value : *written, what)});
  }
}

/// What `elsewhere` says, else the nearest key beside `path`, else the same name deeper in this
/// group, else all that is beside it.
std::string Options::hint(const std::string& path, const Elsewhere& elsewhere) const {
  const std::string parent = parent_of(path);
  std::vector<std::string> beside;
  const auto add = [&](const std::string& name) {
    if (std::ranges::find(beside, name) == beside.end()) beside.push_back(name);
  };
  for (const OptionInfo& option : asked_) {
    if (!parent.empty() && !option.name.starts_with(parent + ".")) continue;
    const std::string rest = parent.empty() ? option.name : option.name.substr(parent.size() + 1);
    add(rest.substr(0, rest.find('.')));
  }
  if (parent.empty()) std::ranges::for_each(others_, add);
  std::string known =
      beside.empty() ? "" : fmt::format("{}{}.", kKnownHere, fmt::join(beside, ", "));
  if (std::string said = elsewhere ? elsewhere(whole(path)) : ""; !said.empty()) {
    return said;
  }
  if (const std::string near = nearest_name(last_of(path), beside); !near.empty()) {
    const std::string meant = parent.empty() ? near : parent + "." + near;
    for (const OptionInfo& option : asked_) {
      if (option.name != meant) continue;
      return fmt::format("Did you mean '{}'? ({}) {}", option.key, describe(option), known);
    }
    return fmt::format("Did you mean '{}'? {}", whole(meant), known);
  }
  for (const OptionInfo& option : asked_) {
    if (last_of(option.name) != last_of(path)) continue;
    return fmt::format("Did you mean '{}'? ({}) {}", option.key, describe(option), known);
  }
  return known;
}

}  // namespace kvscope
