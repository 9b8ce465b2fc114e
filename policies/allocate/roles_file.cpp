#include "policies/allocate/roles_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/config/yaml.h"

namespace kvscope {
namespace {

constexpr const char* kSchema = "kvscope.roles/1";
constexpr int64_t kMost = 1 << 20;  // layers, heads, steps: far above any model

std::string place(const ConfigNode& node) {
  return fmt::format("{} ({})", node.path(), node.origin().text());
}

int64_t integer(const ConfigNode& parent, const char* key, int64_t least, int64_t most) {
  const ConfigNode& node = parent.at(key);
  const int64_t value = node.as_int64();
  if (value < least || value > most) {
    throw Error(ErrorKind::kConfig,
                fmt::format("{}: {}; expected {}..{}", place(node), value, least, most));
  }
  return value;
}

std::vector<double> numbers_of_layers(const ConfigNode& node, int64_t layers) {
  std::vector<double> numbers = node.as_double_list();
  const bool finite = std::ranges::all_of(numbers, [](double x) { return std::isfinite(x); });
  if (std::ssize(numbers) != layers || !finite) {
    throw Error(ErrorKind::kConfig, fmt::format("{}: {} numbers; expected {} finite ones, one a "
                                                "layer",
                                                place(node), numbers.size(), layers));
  }
  return numbers;
}

RolesOfScale scale_of(const ConfigNode& node, const RolesFile& file) {
  const int64_t earliest = file.scales.empty() ? 0 : file.scales.back().last_step + 1;
  RolesOfScale scale;
  scale.first_step = integer(node, "first_step", earliest, file.steps - 1);
  scale.last_step = integer(node, "last_step", scale.first_step, file.steps - 1);
  if (const ConfigNode* grid = node.child("grid")) scale.grid = grid->as_string();
  scale.drafters = node.at("drafters").as_int64_list();
  std::ranges::sort(scale.drafters);
  for (std::size_t i = 0; i < scale.drafters.size(); ++i) {
    const int64_t layer = scale.drafters[i];
    if (layer < 0 || layer >= file.layers || (i > 0 && layer == scale.drafters[i - 1])) {
      throw Error(ErrorKind::kConfig,
                  fmt::format("{}: layer {}; expected different layers of 0..{}",
                              place(node.at("drafters")), layer, file.layers - 1));
    }
  }
  scale.selectivity = numbers_of_layers(node.at("asi"), file.layers);
  scale.z_score = numbers_of_layers(node.at("z"), file.layers);
  return scale;
}

std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char letter : text) {
    if (letter == '\'') result += '\'';
    result += letter == '\n' ? ' ' : letter;
  }
  return result + "'";
}

}  // namespace

void write_roles(const std::filesystem::path& path, const RolesFile& roles) {
  std::string text = fmt::format(
      "# Drafters and refiners for policy.allocate.roles (ScaleKV, arXiv:2505.19602).\n"
      "schema: {}\nmodel: {}\npoint: {}\nrecord: {}\nimages: {}\ntop_keys: {}\n"
      "sampled_queries: {}\nlayers: {}\nheads: {}\nsteps: {}\ndrafters: {}\nscales:\n",
      kSchema, quoted(roles.model), quoted(roles.point), quoted(roles.record), roles.images,
      roles.top_keys, roles.sampled_queries, roles.layers, roles.heads, roles.steps,
      roles.drafters);
  for (const RolesOfScale& scale : roles.scales) {
    text += fmt::format(
        "  - {{first_step: {}, last_step: {}, grid: {}, drafters: [{}],\n"
        "     asi: [{:.9g}],\n     z: [{:.9g}]}}\n",
        scale.first_step, scale.last_step, quoted(scale.grid), fmt::join(scale.drafters, ", "),
        fmt::join(scale.selectivity, ", "), fmt::join(scale.z_score, ", "));
  }
  write_file_atomically(path, text);
}

RolesFile read_roles(const std::filesystem::path& path) {
  ConfigNode node = load_yaml_file(path);
  node.label_paths();
  const ConfigNode* schema = node.child("schema");
  if (schema == nullptr || !schema->is_string() || schema->as_string() != kSchema) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: no roles file; expected 'schema: {}', as `kvscope attention "
                            "roles` writes it",
                            path.string(), kSchema));
  }
  RolesFile file;
  file.model = node.at("model").as_string();
  file.point = node.at("point").as_string();
  file.record = node.at("record").as_string();
  file.images = integer(node, "images", 0, kMost);
  file.top_keys = integer(node, "top_keys", 0, kMost);
  file.sampled_queries = integer(node, "sampled_queries", 0, kMost);
  file.layers = integer(node, "layers", 1, kMost);
  file.heads = integer(node, "heads", 1, kMost);
  file.steps = integer(node, "steps", 1, kMost);
  file.drafters = integer(node, "drafters", 0, kMost * kMost);
  const ConfigNode& scales = node.at("scales");
  if (!scales.is_list() || scales.size() == 0) {
    throw Error(ErrorKind::kConfig, place(scales) + ": expected a list with an entry a scale");
  }
  for (const ConfigNode& scale : scales.items()) file.scales.push_back(scale_of(scale, file));
  return file;
}

}  // namespace kvscope
