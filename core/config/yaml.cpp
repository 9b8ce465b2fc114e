#include "core/config/yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string_view>

#include "core/base/error.h"
#include "core/base/opened_files.h"
#include "core/config/config_key.h"
#include "core/config/yaml_text.h"
#include "core/text/text_input.h"

namespace kvscope {
namespace {

/// Length of the UTF-8 sequence at `text[i]`, 0 if it is not valid there.
size_t utf8_length(const std::string& text, size_t i) {
  const auto byte = [&](size_t k) { return static_cast<unsigned char>(text[k]); };
  const unsigned lead = byte(i);
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || i + length > text.size()) return 0;
  uint32_t code = lead & (0xffu >> (length + 1));
  for (size_t k = 1; k < length; ++k) {
    if ((byte(i + k) & 0xc0) != 0x80) return 0;
    code = code << 6 | (byte(i + k) & 0x3f);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool outside = code > 0x10ffff || (code >= 0xd800 && code < 0xe000);
  return overlong || outside ? 0 : length;
}

/// Builds the tree from yaml-cpp's parse events, so that keys, marks and aliases are seen before
/// yaml-cpp's own node type would lose or multiply them.
class TreeBuilder : public YAML::EventHandler {
 public:
  /// `text` is what is parsed, and must outlive this.
  TreeBuilder(std::string_view text,
              std::shared_ptr<const std::string> name,
              const YamlLimits& limits)
      : text_(text), name_(std::move(name)), limits_(limits) {}

  ConfigNode take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (seen_document_) fail(mark, "a second document ('---'); a config file holds one");
    seen_document_ = true;
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(mark, anchor, ConfigNode(), 1, 0);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) fail(mark, "an alias inside the value it names");
    add(mark, 0, found->second.node, found->second.nodes, found->second.depth);
  }
  void OnAnchor(const YAML::Mark& mark, const std::string& name) override {
    if (!anchor_names_.insert(name).second) fail(mark, fmt::format("a second anchor '{}'", name));
  }
  void OnScalar(const YAML::Mark& mark,
                const std::string& tag,
                YAML::anchor_t anchor,
                const std::string& value) override {
    ConfigNode node(value);
    const bool is_plain = tag == "?" || (tag == "!" && is_unquoted_behind_tag(mark));
    if (is_plain) {
      if (!frames_.empty() && frames_.back().flow && value.find('?') != value.npos) {
        fail(mark, fmt::format("'?' in the unquoted flow value '{}'; quote it", value));
      }
      if (value == "=" && !is_key_next()) fail(mark, "'=' alone is no text in YAML; quote it");
      if (value == "<<" && !is_key_next()) fail(mark, "'<<' is no value; quote it");
      node = parse_yaml_scalar(value);
    } else if (tag != "!" && tag != "tag:yaml.org,2002:str") {
      try {
        node = parse_tagged_scalar(tag, value);
      } catch (const Error& error) {
        fail(mark, error.what());
      }
    }
    plain_ = is_plain;
    add(mark, anchor, std::move(node), 1, 0, value);
  }
  void OnSequenceStart(const YAML::Mark& mark,
                       const std::string& tag,
                       YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    open(mark, tag, anchor, style, ConfigNode::list());
  }
  void OnMapStart(const YAML::Mark& mark,
                  const std::string& tag,
                  YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    open(mark, tag, anchor, style, ConfigNode::map());
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

  [[noreturn]] void fail(const YAML::Mark& mark, const std::string& what) const {
    throw Error(ErrorKind::kConfig,
                fmt::format("{}:{}:{}: {}", *name_, mark.line + 1, mark.column + 1, what));
  }

 private:
  struct Frame {
    ConfigNode node;
    YAML::Mark mark;
    YAML::anchor_t anchor = 0;
    bool flow = false;
    size_t nodes = 1;  // in this subtree, aliases expanded
    int depth = 1;     // levels of this subtree
    bool has_key = false;
    bool merge_key = false;
    ConfigEntry entry;  // the key that waits for its value
    std::vector<ConfigNode> merges;
  };
  struct Anchored {
    ConfigNode node;
    size_t nodes = 1;
    int depth = 0;
  };

  /// Whether a scalar whose tag yaml-cpp gives as "!", as it gives that of quoted ones, stands
  /// unquoted behind a "!" of its own: PyYAML then reads it as if no tag were there.
  [[nodiscard]] bool is_unquoted_behind_tag(const YAML::Mark& mark) const {
    constexpr std::string_view kBlanks = " \t\r\n";
    const std::string_view rest =
        text_.substr(std::min(text_.size(), static_cast<size_t>(mark.pos)));
    if (!rest.starts_with('!')) return false;
    const size_t begin = rest.find_first_not_of(kBlanks, 1);
    return begin > 1 && begin != rest.npos &&
           std::string_view("'\"|>").find(rest[begin]) == rest.npos;
  }

  /// Whether the next node is a key of a mapping.
  [[nodiscard]] bool is_key_next() const {
    return !frames_.empty() && frames_.back().node.is_map() && !frames_.back().has_key;
  }

  void open(const YAML::Mark& mark,
            const std::string& tag,
            YAML::anchor_t anchor,
            YAML::EmitterStyle::value style,
            ConfigNode node) {
    const char* own_tag = node.is_list() ? "tag:yaml.org,2002:seq" : "tag:yaml.org,2002:map";
    if (tag != "?" && tag != "!" && !tag.empty() && tag != own_tag) {
      fail(mark, fmt::format("the tag '{}' is not supported in config files", tag));
    }
    if (static_cast<int>(frames_.size()) >= limits_.depth) {
      fail(mark, fmt::format("nested deeper than {} levels", limits_.depth));
    }
    if (!frames_.empty() && frames_.back().node.is_map() && !frames_.back().has_key) {
      fail(mark, "a list or mapping as a key; keys are scalars");
    }
    Frame frame;
    frame.node = std::move(node);
    frame.mark = mark;
    frame.anchor = anchor;
    frame.flow = style == YAML::EmitterStyle::Flow || (!frames_.empty() && frames_.back().flow);
    frames_.push_back(std::move(frame));
  }

  void close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    if (!frame.merges.empty()) frame.node = merged(std::move(frame));
    add(frame.mark, frame.anchor, std::move(frame.node), frame.nodes, frame.depth);
  }

  /// `<<`: the merged maps' entries come first, the map's own replace them.
  static ConfigNode merged(Frame frame) {
    ConfigNode result = ConfigNode::map();
    for (ConfigNode& map : frame.merges) {
      for (ConfigEntry& entry : map.entries()) put(result, std::move(entry));
    }
    for (ConfigEntry& entry : frame.node.entries()) put(result, std::move(entry));
    return result;
  }

  static void put(ConfigNode& map, ConfigEntry entry) {
    for (ConfigEntry& existing : map.entries()) {
      if (same_key(entry_key(existing), entry_key(entry))) {
        existing.value = std::move(entry.value);
        return;
      }
    }
    map.entries().push_back(std::move(entry));
  }

  void add(const YAML::Mark& mark,
           YAML::anchor_t anchor,
           ConfigNode node,
           size_t nodes,
           int depth,
           const std::string& text = "null") {
    node.set_origin({name_, mark.line + 1, mark.column + 1});
    if (anchor != 0) anchors_[anchor] = {node, nodes, depth};
    if (frames_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& parent = frames_.back();
    if (parent.node.is_map() && !parent.has_key) {
      take_key(mark, parent, node, text);
      return;
    }
    parent.nodes += nodes;
    parent.depth = std::max(parent.depth, depth + 1);
    if (parent.nodes > limits_.nodes) {
      fail(mark, fmt::format("more than {} values (aliases counted)", limits_.nodes));
    }
    if (static_cast<int>(frames_.size()) + depth > limits_.depth) {
      fail(mark, fmt::format("nested deeper than {} levels", limits_.depth));
    }
    if (parent.node.is_list()) {
      parent.node.items().push_back(std::move(node));
      return;
    }
    parent.has_key = false;
    if (parent.merge_key) {
      take_merge(mark, parent, std::move(node));
    } else {
      parent.entry.value = std::move(node);
      put(parent.node, std::move(parent.entry));  // only keys that are no strings can repeat
    }
  }

  void take_key(const YAML::Mark& mark,
                Frame& parent,
                const ConfigNode& key,
                const std::string& text) {
    if (key.is_container()) fail(mark, "a list or mapping as a key; keys are scalars");
    parent.has_key = true;
    parent.merge_key = plain_ && text == "<<";
    parent.entry = {text, ConfigNode(), key.kind()};
    if (!key.is_string()) parent.entry.name = key_spelling(key);
    if (!key.is_string())
      return;  // as PyYAML: `yes` and `true` are one key, the later value counts
    for (const ConfigEntry& entry : parent.node.entries()) {
      if (entry.name == parent.entry.name && entry.key_kind == parent.entry.key_kind) {
        fail(mark, fmt::format("the key '{}' is repeated; first at {}", text,
                               entry.value.origin().text()));
      }
    }
  }

  void take_merge(const YAML::Mark& mark, Frame& parent, ConfigNode value) {
    if (value.is_map()) {
      parent.merges.push_back(std::move(value));
      return;
    }
    if (!value.is_list()) fail(mark, "'<<' needs a mapping or a list of mappings");
    // Of a list the earlier wins, of two '<<' the later.
    for (auto item = value.items().rbegin(); item != value.items().rend(); ++item) {
      if (!item->is_map()) fail(mark, "'<<' needs a mapping or a list of mappings");
      parent.merges.push_back(std::move(*item));
    }
  }

  std::string_view text_;
  std::shared_ptr<const std::string> name_;
  YamlLimits limits_;
  ConfigNode root_;
  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  std::set<std::string> anchor_names_;
  bool seen_document_ = false;
  bool plain_ = false;
};

void check_text(const std::string& text, const std::string& name) {
  int line = 1;
  size_t line_start = 0;
  const auto fail = [&](size_t i, const std::string& what) {
    throw Error(ErrorKind::kConfig,
                fmt::format("{}:{}:{}: {}", name, line, i - line_start + 1, what));
  };
  for (size_t i = 0; i < text.size();) {
    const size_t length = utf8_length(text, i);
    if (length == 0) fail(i, "not UTF-8 text");
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte < 0x20 && byte != '\n' && byte != '\r' && byte != '\t') || byte == 0x7f) {
      fail(i, fmt::format("control character 0x{:02x}", byte));
    }
    if (byte == '\t' && text.find_first_not_of(' ', line_start) == i) {
      const size_t next = text.find_first_not_of(" \t", i);
      const bool blank =
          next == text.npos || text[next] == '\n' || text[next] == '\r' || text[next] == '#';
      if (!blank) fail(i, "a tab in the indentation; use spaces");
    }
    i += length;
    if (byte == '\n') {
      ++line;
      line_start = i;
    }
  }
}

}  // namespace

ConfigNode load_yaml_text(const std::string& text,
                          const std::string& name,
                          const YamlLimits& limits) {
  if (text.size() > limits.file_bytes) {
    throw Error(ErrorKind::kConfig, fmt::format("{}:1:1: {} bytes; config files are at most {}",
                                                name, text.size(), limits.file_bytes));
  }
  check_text(text, name);
  TreeBuilder builder(text, std::make_shared<const std::string>(name), limits);
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    builder.fail(error.mark, error.msg);
  }
  ConfigNode root = builder.take_root();
  root.label_paths();
  return root;
}

std::string read_yaml_file(const std::filesystem::path& file, const YamlLimits& limits) {
  std::error_code code;
  const bool regular = std::filesystem::is_regular_file(file, code);
  std::ifstream stream(file, std::ios::binary);
  if (!regular || !stream) {
    throw Error(ErrorKind::kInput, fmt::format("{}: cannot be read as a file", file.string()));
  }
  OpenedFiles::note(file);
  const size_t size_bytes = std::filesystem::file_size(file, code);
  std::string text(std::min(size_bytes, limits.file_bytes + 1), '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(stream.gcount()));
  return text_input(std::move(text), file.string());
}

ConfigNode load_yaml_file(const std::filesystem::path& file, const YamlLimits& limits) {
  return load_yaml_text(read_yaml_file(file, limits), file.string(), limits);
}

}  // namespace kvscope
