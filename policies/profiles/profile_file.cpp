#include "policies/profiles/profile_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/config/yaml.h"
#include "policies/profiles/earlier_profile.h"

namespace kvscope {
namespace {

constexpr const char* kSchema = "kvscope.profile/1";
constexpr int64_t kMost = 1 << 20;  // layers, heads, steps: far above any model

// ---- writing

std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char letter : text) {
    if (letter == '\'') result += '\'';
    result += letter == '\n' ? ' ' : letter;
  }
  return result + "'";
}

std::string values_text(const Profile& profile) {
  std::string text = "values:\n";
  for (const std::vector<double>& layer : profile.values) {
    text += fmt::format("  - [{:.6g}]\n", fmt::join(layer, ", "));
  }
  return text;
}

std::string scales_text(const Profile& profile) {
  std::string text = "scales:\n";
  for (const RolesOfScale& scale : profile.scales) {
    text += fmt::format(
        "  - {{first_step: {}, last_step: {}, grid: {}, drafters: [{}],\n"
        "     asi: [{:.9g}],\n     z: [{:.9g}]}}\n",
        scale.first_step, scale.last_step, quoted(scale.grid), fmt::join(scale.drafters, ", "),
        fmt::join(scale.selectivity, ", "), fmt::join(scale.z_score, ", "));
  }
  return text;
}

// ---- reading

std::string place(const ConfigNode& node) {
  return fmt::format("{} ({})", node.path(), node.origin().text());
}

[[noreturn]] void refuse(const ConfigNode& node, const std::string& what) {
  throw Error(ErrorKind::kConfig, fmt::format("{}: {}", place(node), what));
}

int64_t integer(const ConfigNode& parent, const char* key, int64_t least, int64_t most) {
  const ConfigNode& node = parent.at(key);
  const int64_t value = node.as_int64();
  if (value < least || value > most) {
    refuse(node, fmt::format("{}; expected {}..{}", value, least, most));
  }
  return value;
}

std::string digest(const ConfigNode& parent) {
  const ConfigNode& node = parent.at("sha256");
  const std::string& text = node.as_string();
  const bool hex = text.find_first_not_of("0123456789abcdef") == text.npos;
  if (!text.empty() && (text.size() != 64 || !hex)) {
    refuse(node,
           fmt::format("'{:.80}'; expected 64 hex digits, or '' where it is not known", text));
  }
  return text;
}

ProfileShape read_shape(const ConfigNode& node) {
  const std::string& generates = node.at("generates").as_string();
  if (generates != "next_token" && generates != "next_scale") {
    refuse(node.at("generates"),
           fmt::format("'{}'. {}", generates, suggestion(generates, {"next_token", "next_scale"})));
  }
  return {.layers = integer(node, "layers", 1, kMost),
          .heads = integer(node, "heads", 1, kMost),
          .head_dim = integer(node, "head_dim", 0, kMost),
          .steps = integer(node, "steps", 0, kMost),
          .next_token = generates == "next_token"};
}

ProfileMetric read_metric(const ConfigNode& node) {
  ProfileMetric metric{.name = node.at("name").as_string()};
  for (const ConfigEntry& entry : node.entries()) {
    if (entry.name != "name") metric.parameters[entry.name] = entry.value.as_double();
  }
  return metric;
}

ProfileSource read_source(const ConfigNode& root) {
  const ConfigNode& prompts = root.at("prompts");
  const ConfigNode& record = root.at("record");
  return {.prompts = integer(prompts, "count", 0, int64_t{1} << 40),
          .prompts_sha256 = digest(prompts),
          .record = record.at("file").as_string(),
          .record_sha256 = digest(record),
          .point = record.at("point").as_string(),
          .note = root.child("note") == nullptr ? "" : root.at("note").as_string()};
}

std::vector<double> numbers(const ConfigNode& node, int64_t count, const char* each) {
  std::vector<double> values = node.as_double_list();
  const bool finite = std::ranges::all_of(values, [](double x) { return std::isfinite(x); });
  if (std::ssize(values) != count || !finite) {
    refuse(node, fmt::format("{} numbers; expected {} finite ones, one a {}", values.size(), count,
                             each));
  }
  return values;
}

const ConfigNode& list_of(const ConfigNode& root, const char* key, const char* each) {
  const ConfigNode& node = root.at(key);
  if (!node.is_list() || node.size() == 0) {
    refuse(node, fmt::format("expected a list with an entry a {}", each));
  }
  return node;
}

std::vector<std::vector<double>> read_values(const ConfigNode& root, const Profile& profile) {
  const ConfigNode& node = list_of(root, "values", "layer");
  if (std::ssize(node.items()) != profile.shape.layers) {
    refuse(node, fmt::format("{} layers; the shape says {}", node.size(), profile.shape.layers));
  }
  const bool heads = profile.kind == ProfileKind::kHeads;
  std::vector<std::vector<double>> values;
  for (const ConfigNode& layer : node.items()) {
    values.push_back(numbers(layer, heads ? profile.shape.heads : 1, heads ? "head" : "layer"));
  }
  return values;
}

RolesOfScale read_scale(const ConfigNode& node, const Profile& profile) {
  const int64_t earliest = profile.scales.empty() ? 0 : profile.scales.back().last_step + 1;
  RolesOfScale scale;
  scale.first_step = integer(node, "first_step", earliest, profile.shape.steps - 1);
  scale.last_step = integer(node, "last_step", scale.first_step, profile.shape.steps - 1);
  if (const ConfigNode* grid = node.child("grid")) scale.grid = grid->as_string();
  const ConfigNode& drafters = node.at("drafters");
  scale.drafters = drafters.as_int64_list();
  std::ranges::sort(scale.drafters);
  for (std::size_t i = 0; i < scale.drafters.size(); ++i) {
    const int64_t layer = scale.drafters[i];
    if (layer < 0 || layer >= profile.shape.layers || (i > 0 && layer == scale.drafters[i - 1])) {
      refuse(drafters, fmt::format("layer {}; expected different layers of 0..{}", layer,
                                   profile.shape.layers - 1));
    }
  }
  scale.selectivity = numbers(node.at("asi"), profile.shape.layers, "layer");
  scale.z_score = numbers(node.at("z"), profile.shape.layers, "layer");
  return scale;
}

}  // namespace

void write_profile(const std::filesystem::path& path, const Profile& profile) {
  const ProfileShape& shape = profile.shape;
  const ProfileSource& source = profile.source;
  std::string parameters;
  for (const auto& [name, value] : profile.metric.parameters) {
    parameters += fmt::format(", {}: {:g}", name, value);
  }
  write_file_atomically(
      path, fmt::format(
                "# What a policy must know of a model: docs/profiles.md\n"
                "schema: {}\nkind: {}\nmodel: {}\n"
                "shape: {{layers: {}, heads: {}, head_dim: {}, steps: {}, generates: {}}}\n"
                "metric: {{name: {}{}}}\nprompts: {{count: {}, sha256: {}}}\n"
                "record: {{file: {}, sha256: {}, point: {}}}\nnote: {}\n{}",
                kSchema, profile_kind_name(profile.kind), quoted(profile.model), shape.layers,
                shape.heads, shape.head_dim, shape.steps,
                shape.next_token ? "next_token" : "next_scale", profile.metric.name, parameters,
                source.prompts, quoted(source.prompts_sha256), quoted(source.record),
                quoted(source.record_sha256), quoted(source.point), quoted(source.note),
                profile.kind == ProfileKind::kRoles ? scales_text(profile) : values_text(profile)));
}

Profile read_profile(const std::filesystem::path& path, ProfileKind expected) {
  refuse_earlier_profile(path);
  ConfigNode root = load_yaml_file(path);
  root.label_paths();
  const ConfigNode* schema = root.child("schema");
  if (schema == nullptr || !schema->is_string() || schema->as_string() != kSchema) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: no profile; expected 'schema: {}', as `kvscope attention heads`, "
                            "`preferences` and `roles` write it",
                            path.string(), kSchema));
  }
  const ConfigNode& kind = root.at("kind");
  const std::vector<std::string> kinds = {"heads", "layers", "roles"};
  const auto found = std::ranges::find(kinds, kind.as_string());
  if (found == kinds.end()) refuse(kind, suggestion(kind.as_string(), kinds));
  Profile profile{.kind = static_cast<ProfileKind>(found - kinds.begin())};
  if (profile.kind != expected) {
    refuse(kind, fmt::format("a profile of kind '{}'; expected '{}'", kind.as_string(),
                             profile_kind_name(expected)));
  }
  profile.model = root.at("model").as_string();
  profile.shape = read_shape(root.at("shape"));
  profile.place = root.at("shape").origin().text();
  profile.metric = read_metric(root.at("metric"));
  profile.source = read_source(root);
  if (profile.kind == ProfileKind::kRoles) {
    for (const ConfigNode& scale : list_of(root, "scales", "scale").items()) {
      profile.scales.push_back(read_scale(scale, profile));
    }
  } else {
    profile.values = read_values(root, profile);
  }
  return profile;
}

}  // namespace kvscope
