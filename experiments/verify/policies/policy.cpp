#include "experiments/verify/policies/policy.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <utility>

#include "core/base/error.h"
#include "core/models/shared/rotation_tables.h"
#include "experiments/verify/kinds.h"

namespace kvscope::verify {
namespace {

using nlohmann::json;

struct PolicyFile {
  const char* name;  // metadata `name`
  std::vector<GroupResult> (*check)(GoldenFile&);
};

constexpr std::array kPolicyFiles = {
    PolicyFile{"duo_attention", verify_policy_duo_attention},
    PolicyFile{"expected_attention", verify_policy_expected_attention},
    PolicyFile{"keydiff", verify_policy_keydiff},
    PolicyFile{"knorm", verify_policy_knorm},
    PolicyFile{"streamingllm", verify_policy_streamingllm},
    PolicyFile{"kivi", verify_policy_kivi},
    PolicyFile{"headkv", verify_policy_headkv},
    PolicyFile{"pyramidkv", verify_policy_pyramidkv},
    PolicyFile{"rkv", verify_policy_rkv},
    PolicyFile{"snapkv", verify_policy_snapkv},
    PolicyFile{"h2o", verify_policy_h2o},
    PolicyFile{"tova", verify_policy_tova},
    PolicyFile{"adakv", verify_policy_adakv},
    PolicyFile{"cake", verify_policy_cake},
};

constexpr size_t kMostCases = 4096;
constexpr int kDeepestCases = 16;
// fp32 and fp64 runs of published code differ by up to 2e-6 of the largest value.
constexpr double kScoreShare = 1e-5;
constexpr double kScoreTolerance = 1e-9;

/// A parameter for a message; lists and objects, which may be deep, by their kind alone.
std::string shown(const json& value) {
  return value.is_structured() ? value.type_name() : fmt::format("{:.80}", value.dump());
}

}  // namespace

PolicyCase::PolicyCase(GoldenFile& file, std::string name, json params)
    : file_(&file), name_(std::move(name)), params_(std::move(params)) {}

void PolicyCase::fail(const std::string& message) const {
  file_->fail(fmt::format("case '{}': {}", name_, message));
}

bool PolicyCase::has(const std::string& param) const {
  return params_.contains(param) && !params_[param].is_null();
}

const json& PolicyCase::param(const std::string& key) const {
  if (params_.contains(key)) return params_[key];
  std::vector<std::string> known;
  for (const auto& [name, value] : params_.items()) known.push_back(name);
  fail(fmt::format("parameter '{}' is missing. {}", key, suggestion(key, known)));
}

int64_t PolicyCase::integer(const std::string& key, int64_t least, int64_t most) const {
  const json& value = param(key);
  const bool fits = value.is_number_unsigned()
                        ? value.get<uint64_t>() <= static_cast<uint64_t>(most)
                        : value.is_number_integer();
  if (!fits || value.get<int64_t>() < least || value.get<int64_t>() > most) {
    fail(fmt::format("parameter '{}' is {}; expected an integer in {}..{}", key, shown(value),
                     least, most));
  }
  return value.get<int64_t>();
}

int64_t PolicyCase::integer_or(const std::string& key,
                               int64_t standard,
                               int64_t least,
                               int64_t most) const {
  return has(key) ? integer(key, least, most) : standard;
}

double PolicyCase::number(const std::string& key, double least, double most) const {
  const json& value = param(key);
  const double number = value.is_number() ? value.get<double>() : std::nan("");
  if (!(number >= least && number <= most)) {
    fail(fmt::format("parameter '{}' is {}; expected a number in {}..{}", key, shown(value), least,
                     most));
  }
  return number;
}

std::vector<double> PolicyCase::number_list(const std::string& key,
                                            double least,
                                            double most) const {
  const json& value = param(key);
  if (!value.is_array() || value.size() > static_cast<size_t>(kLargestCaseSize)) {
    fail(fmt::format("parameter '{}' is {}; expected a list of at most {} numbers", key,
                     shown(value), kLargestCaseSize));
  }
  std::vector<double> numbers;
  for (const json& item : value) {
    const double number = item.is_number() ? item.get<double>() : std::nan("");
    if (!(number >= least && number <= most)) {
      fail(fmt::format("parameter '{}' holds {}; expected numbers in {}..{}", key, shown(item),
                       least, most));
    }
    numbers.push_back(number);
  }
  return numbers;
}

std::vector<int64_t> PolicyCase::integer_list(const std::string& key,
                                              int64_t least,
                                              int64_t most) const {
  std::vector<int64_t> integers;
  for (const double number :
       number_list(key, static_cast<double>(least), static_cast<double>(most))) {
    if (number != std::floor(number)) {
      fail(fmt::format("parameter '{}' holds {}; expected integers", key, number));
    }
    integers.push_back(static_cast<int64_t>(number));
  }
  return integers;
}

bool PolicyCase::flag(const std::string& key) const {
  const json& value = param(key);
  if (!value.is_boolean()) {
    fail(fmt::format("parameter '{}' is {}; expected true or false", key, shown(value)));
  }
  return value.get<bool>();
}

std::string PolicyCase::word(const std::string& key,
                             const std::vector<std::string>& allowed) const {
  const json& value = param(key);
  const std::string word = value.is_string() ? value.get<std::string>() : shown(value);
  if (!value.is_string() || std::ranges::find(allowed, word) == allowed.end()) {
    fail(fmt::format("parameter '{}' is '{:.80}'. {}", key, word, suggestion(word, allowed)));
  }
  return word;
}

std::string PolicyCase::full_name(const std::string& tensor) const {
  return name_ + "." + tensor;
}

bool PolicyCase::has_tensor(const std::string& tensor) const {
  return file_->has(full_name(tensor));
}

const std::vector<int64_t>& PolicyCase::shape(const std::string& tensor) const {
  return file_->shape(full_name(tensor));
}

at::Tensor PolicyCase::tensor(const std::string& tensor, at::IntArrayRef shape) const {
  return file_->tensor(full_name(tensor), shape);
}

at::Tensor PolicyCase::input(const std::string& name, at::IntArrayRef shape) const {
  const at::Tensor values = tensor(name, shape);
  if (!values.is_floating_point()) {
    fail(fmt::format("tensor '{}' holds integers; expected floating point", full_name(name)));
  }
  if (!at::isfinite(values).all().item<bool>()) {
    fail(fmt::format("tensor '{}' holds NaN or infinities", full_name(name)));
  }
  return values.to(file_->device(), at::kFloat).contiguous();
}

at::Tensor PolicyCase::on_device(const at::Tensor& x) const {
  return x.to(file_->device());
}

RotationTable PolicyCase::line_rotation(int64_t positions, int64_t head_dim) const {
  return kvscope::on_device(kvscope::line_rotation(positions, head_dim, number("theta", 1, 1e9)),
                            file_->device());
}

at::Tensor PolicyCase::integers(const std::string& name,
                                at::IntArrayRef shape,
                                int64_t least,
                                int64_t most) const {
  const at::Tensor values = tensor(name, shape);
  if (!at::isIntegralType(values.scalar_type(), /*includeBool=*/false)) {
    fail(fmt::format("tensor '{}' holds no integers", full_name(name)));
  }
  const at::Tensor wide = values.to(at::kLong).contiguous();
  if (wide.numel() > 0 &&
      (wide.min().item<int64_t>() < least || wide.max().item<int64_t>() > most)) {
    fail(fmt::format("tensor '{}' has values outside {}..{}", full_name(name), least, most));
  }
  return wide;
}

KeptLists PolicyCase::kept(const std::string& name, at::IntArrayRef lines, int64_t tokens) const {
  std::vector<int64_t> expected = lines.vec();
  if (shape(name).empty() || shape(name).back() == 0) {
    fail(fmt::format("tensor '{}' has no columns", full_name(name)));
  }
  expected.push_back(shape(name).back());
  const at::Tensor values = integers(name, expected, -1, tokens - 1);
  const int64_t width = expected.back();
  const int64_t* next = values.const_data_ptr<int64_t>();
  KeptLists lists;
  for (int64_t line = 0; line < values.numel() / width; ++line, next += width) {
    const int64_t* end = std::find(next, next + width, int64_t{-1});
    if (std::any_of(end, next + width, [](int64_t value) { return value != -1; })) {
      fail(fmt::format("tensor '{}', line {}: -1 before the end of the list", full_name(name),
                       line));
    }
    lists.emplace_back(next, end);
  }
  return lists;
}

std::vector<PolicyCase> policy_cases(GoldenFile& file) {
  bool too_deep = false;  // copies of JSON recurse
  const auto shallow = [&](int depth, json::parse_event_t /*event*/, json& /*parsed*/) {
    too_deep = too_deep || depth > kDeepestCases;
    return depth <= kDeepestCases;
  };
  const json list = json::parse(file.text("cases"), shallow, /*allow_exceptions=*/false);
  if (too_deep || !list.is_array() || list.empty() || list.size() > kMostCases) {
    file.fail(fmt::format("metadata 'cases' must be a JSON list of 1..{} cases, at most {} deep",
                          kMostCases, kDeepestCases));
  }
  std::vector<PolicyCase> cases;
  std::set<std::string> names;
  for (const json& entry : list) {
    const bool named = entry.is_object() && entry.contains("name") && entry["name"].is_string();
    if (!named || !entry.contains("params") || !entry["params"].is_object()) {
      file.fail(fmt::format("case {} of metadata 'cases' must have a 'name' and an object 'params'",
                            cases.size()));
    }
    const auto name = entry["name"].get<std::string>();
    if (!names.insert(name).second) file.fail(fmt::format("case '{:.80}' occurs twice", name));
    cases.emplace_back(file, name, entry["params"]);
  }
  return cases;
}

GroupCheck& PolicyGroups::group(const std::string& name, double tolerance) {
  for (auto& [known, check] : groups_) {
    if (known == name) return check;
  }
  const double share = tolerance > 0 ? kScoreShare : 0;
  return groups_.emplace_back(name, GroupCheck(name, tolerance, share)).second;
}

void PolicyGroups::exact(const std::string& group,
                         const PolicyCase& of,
                         const std::string& tensor,
                         const at::Tensor& computed,
                         const at::Tensor& recorded) {
  this->group(group, 0).compare(computed, recorded, of.full_name(tensor));
}

void PolicyGroups::exact(const std::string& group,
                         const PolicyCase& of,
                         const std::string& tensor,
                         const KeptLists& computed,
                         const KeptLists& recorded) {
  const at::Tensor expected = padded(recorded);
  exact(group, of, tensor, padded(computed, expected.size(1)), expected);
}

void PolicyGroups::close(const std::string& group,
                         const PolicyCase& of,
                         const std::string& tensor,
                         const at::Tensor& computed,
                         const at::Tensor& recorded) {
  this->group(group, kScoreTolerance).compare(computed, recorded, of.full_name(tensor));
}

void PolicyGroups::mismatch(const std::string& group, const std::string& what) {
  this->group(group, 0).mismatch(what);
}

std::vector<GroupResult> PolicyGroups::results() const {
  std::vector<GroupResult> results;
  for (const auto& [name, check] : groups_) results.push_back(check.result());
  return results;
}

at::Tensor padded(const KeptLists& lists, int64_t width) {
  for (const auto& list : lists) width = std::max(width, static_cast<int64_t>(list.size()));
  at::Tensor values = at::full({static_cast<int64_t>(lists.size()), width}, -1, at::kLong);
  int64_t* line = values.mutable_data_ptr<int64_t>();
  for (const auto& list : lists) {
    std::ranges::copy(list, line);
    line += width;
  }
  return values;
}

std::vector<GroupResult> verify_policy(GoldenFile& file) {
  const at::NoGradGuard no_grad;
  std::vector<std::string> known;
  for (const PolicyFile& entry : kPolicyFiles) {
    if (file.text("name") == entry.name) return entry.check(file);
    known.emplace_back(entry.name);
  }
  file.fail(
      fmt::format("metadata 'name' is '{:.80}', a policy whose recorded decisions this build "
                  "does not know. {}",
                  file.text("name"), suggestion(file.text("name"), known)));
}

}  // namespace kvscope::verify
