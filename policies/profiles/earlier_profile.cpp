#include "policies/profiles/earlier_profile.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <fstream>
#include <regex>
#include <sstream>

#include "core/base/error.h"
#include "core/config/yaml.h"

namespace kvscope {
namespace {

constexpr const char* kRolesSchema = "kvscope.roles/1";
constexpr std::size_t kMostColumns = 1024;
constexpr std::uintmax_t kMostBytes = std::uintmax_t{1} << 20;

/// Numbers of a line between blanks and commas; nullopt where something else stands there.
std::optional<std::vector<double>> numbers_of(const std::string& line) {
  static constexpr const char* kBetween = " \t\r,";
  std::vector<double> numbers;
  for (std::size_t begin = line.find_first_not_of(kBetween); begin != std::string::npos;) {
    const std::size_t end = std::min(line.find_first_of(kBetween, begin), line.size());
    double number = 0;
    const auto read = std::from_chars(line.data() + begin, line.data() + end, number);
    const bool good = read.ec == std::errc() && read.ptr == line.data() + end &&
                      std::isfinite(number) && numbers.size() < kMostColumns;
    if (!good) return std::nullopt;
    numbers.push_back(number);
    begin = line.find_first_not_of(kBetween, end);
  }
  return numbers;
}

std::string first_match(const std::string& text, const char* pattern) {
  std::smatch match;
  return std::regex_search(text, match, std::regex(pattern)) ? match[1].str() : "";
}

/// What the comment of a table says, as `kvscope attention heads` and `preferences` wrote it.
void read_comment(const std::string& comment, Profile& profile) {
  profile.source.note = comment;
  profile.model = first_match(comment, "(?:heads|layer) of ([A-Za-z0-9_]+):");
  const std::string prompts = first_match(comment, "([0-9]{1,9}) (?:images|prompts)");
  if (!prompts.empty()) profile.source.prompts = std::stoll(prompts);
  const auto parameter = [&](const char* name, const char* pattern) {
    const std::string value = first_match(comment, pattern);
    if (!value.empty()) profile.metric.parameters[name] = std::strtod(value.c_str(), nullptr);
  };
  if (comment.starts_with("Sparsity")) {
    profile.metric.name = "sparsity";
    parameter("recent_tokens", "the last ([0-9]+) tokens");
    parameter("columns_beside", "up to ([0-9]+) columns beside");
    parameter("lines_above", "in the ([0-9]+) lines above");
  } else if (comment.starts_with("Variance")) {
    profile.metric.name = "variance";
  } else if (comment.starts_with("CAKE")) {
    profile.metric.name = "preference";
    parameter("tau1", "entropy\\^\\(1/([0-9.e+-]+)\\)");
    parameter("tau2", "variance\\^\\(1/([0-9.e+-]+)\\)");
    parameter("queries", "the last ([0-9]+) queries");
  } else {
    profile.metric.name = "unknown";
  }
}

std::optional<EarlierProfile> table_of(const std::string& text) {
  EarlierProfile table;
  std::vector<std::vector<double>>& values = table.profile.values;
  std::string comment;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t sign = std::min(line.find('#'), line.size());
    const std::size_t words = line.find_first_not_of("# ", sign);
    if (words != std::string::npos) comment += (comment.empty() ? "" : " ") + line.substr(words);
    const auto layer = numbers_of(line.substr(0, sign));
    if (!layer) return std::nullopt;
    if (layer->empty()) continue;
    if (!values.empty() && layer->size() != values.front().size()) return std::nullopt;
    values.push_back(*layer);
  }
  if (values.empty()) return std::nullopt;
  table.profile.kind = values.front().size() == 1 ? ProfileKind::kLayers : ProfileKind::kHeads;
  table.profile.shape.layers = std::ssize(values);
  table.profile.shape.heads = std::ssize(values.front());
  constexpr std::size_t kMostComment = 1024;  // what std::regex is given
  comment.resize(std::min(comment.size(), kMostComment));
  read_comment(comment, table.profile);
  return table;
}

EarlierProfile roles_of(const ConfigNode& root) {
  EarlierProfile roles{.is_table = false};
  Profile& profile = roles.profile;
  profile.kind = ProfileKind::kRoles;
  profile.model = root.at("model").as_string();
  profile.metric = {.name = "selectivity",
                    .parameters = {{"top_keys", root.at("top_keys").as_double()},
                                   {"sampled_queries", root.at("sampled_queries").as_double()}}};
  profile.source.prompts = root.at("images").as_int64();
  profile.source.record = root.at("record").as_string();
  profile.source.point = root.at("point").as_string();
  profile.shape.layers = root.at("layers").as_int64();
  profile.shape.heads = root.at("heads").as_int64();
  profile.shape.steps = root.at("steps").as_int64();
  for (const ConfigNode& scale : root.at("scales").items()) {
    profile.scales.push_back({.first_step = scale.at("first_step").as_int64(),
                              .last_step = scale.at("last_step").as_int64(),
                              .grid = scale.contains("grid") ? scale.at("grid").as_string() : "",
                              .drafters = scale.at("drafters").as_int64_list(),
                              .selectivity = scale.at("asi").as_double_list(),
                              .z_score = scale.at("z").as_double_list()});
  }
  return roles;
}

std::string text_of(const std::filesystem::path& path) {
  std::error_code failure;
  const bool is_file = std::filesystem::is_regular_file(path, failure);
  std::ifstream stream(path, std::ios::binary);
  if (!is_file || !stream || std::filesystem::file_size(path, failure) > kMostBytes) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: cannot be read as a profile; expected a YAML file of at most {} "
                            "bytes, as `kvscope attention heads`, `preferences` and `roles` write "
                            "it",
                            path.string(), kMostBytes));
  }
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

std::optional<EarlierProfile> read_earlier_profile(const std::filesystem::path& path) {
  const std::string text = text_of(path);
  if (auto table = table_of(text)) return table;
  if (text.find(kRolesSchema) == std::string::npos) return std::nullopt;
  ConfigNode root = load_yaml_file(path);
  root.label_paths();
  const ConfigNode* schema = root.child("schema");
  const bool is_roles =
      schema != nullptr && schema->is_string() && schema->as_string() == kRolesSchema;
  return is_roles ? std::optional(roles_of(root)) : std::nullopt;
}

void refuse_earlier_profile(const std::filesystem::path& path) {
  const auto earlier = read_earlier_profile(path);
  if (!earlier) return;
  std::filesystem::path out = path;
  out.replace_extension(earlier->is_table ? ".yaml" : ".profile.yaml");
  throw Error(
      ErrorKind::kInput,
      fmt::format("{}: {} of an earlier version, no profile. Convert it: kvscope attention "
                  "convert-profile {} --model {} --out {}",
                  path.string(), earlier->is_table ? "a table" : "roles", path.string(),
                  earlier->profile.model.empty() ? "NAME" : earlier->profile.model, out.string()));
}

}  // namespace kvscope
