#include "core/config/interpolation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/base/error.h"
#include "core/config/format.h"
#include "core/config/grammar.h"
#include "core/config/interpolation_text.h"

namespace kvscope {
namespace {

constexpr int kDeepest = 150;              // interpolations inside interpolations
constexpr size_t kMostValues = 2'000'000;  // values made in all: ${a} ${a} chains double each time
constexpr size_t kMostBytes = 64 << 20;

using Path = std::vector<std::string>;

std::string dotted(const Path& path) {
  return fmt::format("{}", fmt::join(path, "."));
}

/// A missing value or an absent key: oc.select has a default for it, others fail.
class NotThere : public Error {
 public:
  using Error::Error;
};

class Resolver {
 public:
  Resolver(const ConfigNode& root, const ResolverContext& context)
      : root_(root), context_(context) {}

  ConfigNode resolve(const ConfigNode& node, const Path& path) {
    if (++values_ > kMostValues) fail("more than two million values; interpolations multiply");
    if (node.is_interpolation()) return evaluate_at(node, path);
    if (!node.is_container()) return node;
    ConfigNode result = node;
    Path below = path;
    below.emplace_back();
    if (node.is_list()) {
      for (size_t i = 0; i < node.size(); ++i) {
        below.back() = std::to_string(i);
        result.items()[i] = resolve(node.items()[i], below);
      }
    } else {
      for (size_t i = 0; i < node.size(); ++i) {
        below.back() = node.entries()[i].name;
        result.entries()[i].value = resolve(node.entries()[i].value, below);
      }
    }
    return result;
  }

  ConfigNode resolve_tolerantly(const ConfigNode& node, const Path& path) {
    if (!node.is_container()) {
      try {
        return resolve(node, path);
      } catch (const Error&) {
        return node;
      }
    }
    ConfigNode result = node;
    Path below = path;
    below.emplace_back();
    for (size_t i = 0; i < node.size(); ++i) {
      below.back() = node.is_list() ? std::to_string(i) : node.entries()[i].name;
      const ConfigNode& child = node.is_list() ? node.items()[i] : node.entries()[i].value;
      (node.is_list() ? result.items()[i] : result.entries()[i].value) =
          resolve_tolerantly(child, below);
    }
    return result;
  }

  /// The value of a path from the root, resolved.
  ConfigNode lookup(const Path& keys) {
    const ConfigNode* node = &root_;
    Path at;
    for (size_t i = 0; i < keys.size(); ++i) {
      if (node->is_interpolation()) {
        const ConfigNode value = resolve(*node, at);
        const Path rest(keys.begin() + static_cast<std::ptrdiff_t>(i), keys.end());
        const ConfigNode* found = value.find(dotted(rest));
        if (!found) fail_absent(keys, keys[i], value);
        return *found;
      }
      const ConfigNode* next = node->is_container() ? node->child(keys[i]) : nullptr;
      if (!next) fail_absent(keys, keys[i], *node);
      node = next;
      at.push_back(keys[i]);
    }
    if (node->is_missing()) {
      throw NotThere(ErrorKind::kConfig, fmt::format("'{}' is missing (\?\?\?)", dotted(keys)));
    }
    return resolve(*node, at);
  }

  /// The absolute path of a reference made by the value at `path`.
  static Path absolute(const NodeReference& reference, const Path& path) {
    if (reference.dots == 0) return reference.keys;
    if (static_cast<size_t>(reference.dots) > path.size()) {
      throw NotThere(ErrorKind::kConfig, "the dots lead above the top of the config");
    }
    Path keys(path.begin(), path.end() - reference.dots);
    keys.insert(keys.end(), reference.keys.begin(), reference.keys.end());
    return keys;
  }

 private:
  /// One evaluation on the stack of `active` paths, taken off however it ends.
  class Entered {
   public:
    Entered(std::vector<std::string>& active, const std::string& name) : active_(active) {
      active_.push_back(name);
    }
    ~Entered() { active_.pop_back(); }
    Entered(const Entered&) = delete;
    Entered& operator=(const Entered&) = delete;

   private:
    std::vector<std::string>& active_;
  };

  [[noreturn]] static void fail(const std::string& what) { throw Error(ErrorKind::kConfig, what); }

  [[noreturn]] static void fail_absent(const Path& keys,
                                       const std::string& key,
                                       const ConfigNode& node) {
    std::vector<std::string> known;
    if (node.is_map()) {
      for (const ConfigEntry& entry : node.entries()) known.push_back(entry.name);
    }
    throw NotThere(ErrorKind::kConfig, fmt::format("no key '{}' ('{}' not found). {}", dotted(keys),
                                                   key, suggestion(key, known)));
  }

  ConfigNode evaluate_at(const ConfigNode& node, const Path& path) {
    const std::string name = dotted(path);
    if (const auto first = std::ranges::find(active_, name); first != active_.end()) {
      std::string cycle;
      for (auto step = first; step != active_.end(); ++step) cycle += *step + " -> ";
      fail("interpolations in a cycle: " + cycle + name);
    }
    if (static_cast<int>(active_.size()) > kDeepest) fail("interpolations nested too deep");
    const Entered entered(active_, name);
    ConfigNode result;
    try {
      result = evaluate(node.as_string(), path);
    } catch (const Error& error) {
      // The innermost value names itself; the ones that refer to it only pass the message on.
      if (std::string_view(error.what()).find("while resolving") != std::string_view::npos) throw;
      const std::string message =
          fmt::format("{}: {}, while resolving '{}: {}'", node.origin().text(), error.what(), name,
                      node.as_string());
      if (dynamic_cast<const NotThere*>(&error)) throw NotThere(ErrorKind::kConfig, message);
      throw Error(ErrorKind::kConfig, message);
    }
    result.set_origin_below(node.origin());
    return result;
  }

  /// One interpolation alone keeps its type; anything around it makes text.
  ConfigNode evaluate(const std::string& text, const Path& path) {
    const std::vector<InterpolationPiece> pieces = split_interpolations(text);
    if (pieces.size() == 1 && pieces[0].is_interpolation)
      return evaluate_piece(pieces[0].text, path);
    std::string out;
    for (const InterpolationPiece& piece : pieces) {
      out += piece.is_interpolation ? python_text(evaluate_piece(piece.text, path)) : piece.text;
      bytes_ += out.size();
      if (bytes_ > kMostBytes) fail("interpolations make more than 64 MiB of text");
    }
    return out;
  }

  ConfigNode evaluate_piece(const std::string& inside, const Path& path) {
    const size_t colon = resolver_colon(inside);
    if (colon != inside.npos) return call(inside.substr(0, colon), inside.substr(colon + 1), path);
    std::string reference = inside;
    if (inside.find("${") != inside.npos) reference = evaluate_text(inside, path);
    return lookup(absolute(parse_node_reference(reference), path));
  }

  std::string evaluate_text(const std::string& text, const Path& path) {
    return python_text(evaluate(text, path));
  }

  // --- resolvers ------------------------------------------------------------------------------

  ConfigNode call(const std::string& name, const std::string& text, const Path& path) {
    if (name == "now")
      return formatted_time(text.find("${") == text.npos ? text : evaluate_text(text, path));
    std::vector<ConfigNode> arguments;
    if (!text.empty()) {
      for (const std::string& part : split_arguments(text))
        arguments.push_back(argument(part, path));
    }
    const auto require = [&](size_t least, size_t most) {
      if (arguments.size() < least || arguments.size() > most) {
        fail(fmt::format("${{{}:..}} takes {} to {} arguments, got {}", name, least, most,
                         arguments.size()));
      }
    };
    if (name == "oc.env") {
      require(1, 2);
      return environment_variable(arguments);
    }
    if (name == "oc.decode") {
      require(1, 1);
      if (arguments[0].is_null()) return {};
      const ConfigNode decoded = parse_grammar_node(arguments[0].as_string(), kArgumentRules);
      return resolve(decoded, path);
    }
    if (name == "oc.create") {
      require(1, 1);
      return arguments[0];
    }
    if (name == "oc.select" || name == "oc.deprecated") {
      require(1, 2);
      const bool select = name == "oc.select";
      try {
        return lookup(absolute(parse_node_reference(arguments[0].as_string()), path));
      } catch (const NotThere&) {
        if (!select) throw;
        return arguments.size() == 2 ? arguments[1] : ConfigNode();
      }
    }
    if (name == "oc.dict.keys" || name == "oc.dict.values") {
      require(1, 1);
      return map_parts(name, arguments[0], path);
    }
    if (name == "hydra") {
      require(1, 1);
      if (!context_.full) fail("${hydra:..} has no meaning here");
      Resolver full(*context_.full, context_);
      full.values_ = values_;
      full.depth_ = depth_ + 1;
      if (full.depth_ > 16) fail("${hydra:..} refers to itself");
      return full.lookup(parse_node_reference("hydra." + arguments[0].as_string()).keys);
    }
    const std::vector<std::string> known{"oc.env",        "oc.select",    "oc.decode",
                                         "oc.create",     "oc.dict.keys", "oc.dict.values",
                                         "oc.deprecated", "now",          "hydra"};
    fail(fmt::format("unknown resolver '{}'. {}", name, suggestion(name, known)));
  }

  static constexpr GrammarRules kArgumentRules{.nested_interpolations = true,
                                               .any_character = true};

  ConfigNode argument(std::string text, const Path& path) {
    const size_t first = text.find_first_not_of(" \t");
    if (first == text.npos) return "";
    text = text.substr(first, text.find_last_not_of(" \t") + 1 - first);
    const bool structured = std::string_view("[{'\"").find(text.front()) != std::string_view::npos;
    if (!structured && text.find("${") != text.npos) return evaluate(text, path);
    const ConfigNode parsed = parse_grammar_node(text, kArgumentRules);
    return resolve_argument(parsed, path);
  }

  ConfigNode resolve_argument(const ConfigNode& node, const Path& path) {
    if (node.is_interpolation()) return evaluate(node.as_string(), path);
    ConfigNode result = node;
    if (node.is_list()) {
      for (ConfigNode& item : result.items()) item = resolve_argument(item, path);
    } else if (node.is_map()) {
      for (ConfigEntry& entry : result.entries()) entry.value = resolve_argument(entry.value, path);
    }
    return result;
  }

  ConfigNode environment_variable(const std::vector<ConfigNode>& arguments) const {
    const std::string name = python_text(arguments[0]);
    if (context_.environment) {
      if (const std::optional<std::string> value = context_.environment(name)) return *value;
    }
    if (arguments.size() < 2) {
      throw NotThere(ErrorKind::kConfig, fmt::format("the environment variable '{}' is not set; a "
                                                     "default is given as ${{oc.env:{},DEFAULT}}",
                                                     name, name));
    }
    if (arguments[1].is_null()) return {};
    return python_text(arguments[1]);
  }

  ConfigNode map_parts(const std::string& name, const ConfigNode& argument, const Path& path) {
    const ConfigNode map = argument.is_map()
                               ? argument
                               : lookup(absolute(parse_node_reference(argument.as_string()), path));
    if (!map.is_map())
      fail(fmt::format("${{{}:..}} needs a mapping, got {}", name, kind_name(map.kind())));
    ConfigNode list = ConfigNode::list();
    for (const ConfigEntry& entry : map.entries()) {
      list.items().push_back(name == "oc.dict.keys" ? ConfigNode(entry.name) : entry.value);
    }
    return list;
  }

  [[nodiscard]] std::string formatted_time(const std::string& format) const {
    std::tm parts{};
    localtime_r(&context_.now, &parts);
    std::array<char, 256> buffer;
    const size_t size = std::strftime(buffer.data(), buffer.size(), format.c_str(), &parts);
    return {buffer.data(), size};
  }

  const ConfigNode& root_;
  const ResolverContext& context_;
  std::vector<std::string> active_;  // paths being evaluated, for cycles
  size_t values_ = 0;
  size_t bytes_ = 0;
  int depth_ = 0;
};

Path split_path(const std::string& path) {
  Path keys;
  size_t begin = 0;
  while (!path.empty() && begin <= path.size()) {
    const size_t dot = std::min(path.find('.', begin), path.size());
    keys.push_back(path.substr(begin, dot - begin));
    begin = dot + 1;
  }
  return keys;
}

}  // namespace

ConfigNode resolve_interpolations(const ConfigNode& root, const ResolverContext& context) {
  return Resolver(root, context).resolve(root, {});
}

ConfigNode resolve_where_possible(const ConfigNode& subtree,
                                  const std::string& path,
                                  const ResolverContext& context) {
  const ConfigNode& root = context.full ? *context.full : subtree;
  return Resolver(root, context).resolve_tolerantly(subtree, split_path(path));
}

std::optional<ConfigNode> interpolated_node(const ConfigNode& root,
                                            const ConfigNode& node,
                                            const std::string& path) {
  const std::vector<InterpolationPiece> pieces = split_interpolations(node.as_string());
  if (pieces.size() != 1 || !pieces[0].is_interpolation) return std::nullopt;
  if (resolver_colon(pieces[0].text) != std::string::npos) return std::nullopt;
  if (pieces[0].text.find("${") != std::string::npos) return std::nullopt;
  const NodeReference reference = parse_node_reference(pieces[0].text);
  const Path at = split_path(path);
  if (static_cast<size_t>(reference.dots) > at.size()) return std::nullopt;
  const ConfigNode* found = root.find(dotted(Resolver::absolute(reference, at)));
  return found ? std::optional(*found) : std::nullopt;
}

}  // namespace kvscope
