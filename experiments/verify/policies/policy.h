#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/engine/rotation.h"
#include "experiments/verify/golden_file.h"
#include "experiments/verify/group_check.h"

// Recorded decisions of cache policies: metadata `kind` "policy", `name` the policy, `cases` a JSON
// list of {name, params, tensors}; tensors are called CASE.TENSOR. One file NAME.cpp beside this
// one recomputes them with the functions that the policy's components use, and has a line in the
// table of policy.cpp.
namespace kvscope::verify {

/// Sizes in the parameters of a case beyond this are damage.
inline constexpr int64_t kLargestCaseSize = int64_t{1} << 16;

/// Indices per (row, head), as an eviction leaves them.
using KeptLists = std::vector<std::vector<int64_t>>;

/// One recorded case. Getters throw Error(kInput) naming file, case and parameter or tensor, with
/// the nearest known name; nothing in the file is trusted.
class PolicyCase {
 public:
  PolicyCase(GoldenFile& file, std::string name, nlohmann::json params);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] bool has(const std::string& param) const;
  /// An integer in [least, most].
  [[nodiscard]] int64_t integer(const std::string& param,
                                int64_t least = 1,
                                int64_t most = kLargestCaseSize) const;
  /// The same, or `standard` where the parameter is absent.
  [[nodiscard]] int64_t integer_or(const std::string& param,
                                   int64_t standard,
                                   int64_t least = 1,
                                   int64_t most = kLargestCaseSize) const;
  /// A finite number in [least, most].
  [[nodiscard]] double number(const std::string& param, double least, double most) const;
  /// A list of at most kLargestCaseSize integers, or numbers, each in [least, most].
  [[nodiscard]] std::vector<int64_t> integer_list(const std::string& param,
                                                  int64_t least,
                                                  int64_t most) const;
  [[nodiscard]] std::vector<double> number_list(const std::string& param,
                                                double least,
                                                double most) const;
  [[nodiscard]] bool flag(const std::string& param) const;
  /// One word of `allowed`.
  [[nodiscard]] std::string word(const std::string& param,
                                 const std::vector<std::string>& allowed) const;

  /// "CASE.TENSOR".
  [[nodiscard]] std::string full_name(const std::string& tensor) const;
  [[nodiscard]] bool has_tensor(const std::string& tensor) const;
  [[nodiscard]] const std::vector<int64_t>& shape(const std::string& tensor) const;
  /// The tensor, of exactly this shape, in the type of the file, on the CPU.
  [[nodiscard]] at::Tensor tensor(const std::string& tensor, at::IntArrayRef shape) const;
  /// Likewise, contiguous fp32 on the device; throws where it holds integers, NaN or infinities.
  [[nodiscard]] at::Tensor input(const std::string& tensor, at::IntArrayRef shape) const;
  /// A tensor of the case, on the device that the file is recomputed on.
  [[nodiscard]] at::Tensor on_device(const at::Tensor& x) const;
  /// RoPE along a line with the case's `theta`, there.
  [[nodiscard]] RotationTable line_rotation(int64_t positions, int64_t head_dim) const;
  /// Likewise, int64 values in [least, most], on the CPU.
  [[nodiscard]] at::Tensor integers(const std::string& tensor,
                                    at::IntArrayRef shape,
                                    int64_t least,
                                    int64_t most) const;
  /// Lines of integers [..., most], flattened over the leading dimensions `lines`, without the -1
  /// that pads them at the right; values in [0, tokens). The width is the file's.
  [[nodiscard]] KeptLists kept(const std::string& tensor,
                               at::IntArrayRef lines,
                               int64_t tokens) const;

  /// Throws Error(kInput): "FILE: case 'NAME': message".
  [[noreturn]] void fail(const std::string& message) const;

 private:
  [[nodiscard]] const nlohmann::json& param(const std::string& key) const;

  GoldenFile* file_;
  std::string name_;
  nlohmann::json params_;
};

/// Every case of the file, in its order; at most 4096.
std::vector<PolicyCase> policy_cases(GoldenFile& file);

/// The groups of a policy's verdict over all cases, in the order of their first comparison.
class PolicyGroups {
 public:
  /// Integers, indices and anything else that must be equal.
  void exact(const std::string& group,
             const PolicyCase& of,
             const std::string& tensor,
             const at::Tensor& computed,
             const at::Tensor& recorded);
  /// Lists that must be equal, order included.
  void exact(const std::string& group,
             const PolicyCase& of,
             const std::string& tensor,
             const KeptLists& computed,
             const KeptLists& recorded);
  /// Floating point: within 1e-5 of the largest recorded value of the group.
  void close(const std::string& group,
             const PolicyCase& of,
             const std::string& tensor,
             const at::Tensor& computed,
             const at::Tensor& recorded);
  /// What the file records and this build does not have, or the other way round.
  void mismatch(const std::string& group, const std::string& what);
  [[nodiscard]] std::vector<GroupResult> results() const;

 private:
  GroupCheck& group(const std::string& name, double tolerance);

  std::vector<std::pair<std::string, GroupCheck>> groups_;
};

/// Lists of unequal length as one int64 tensor [lists, longest, at least `width`], -1 at the right.
at::Tensor padded(const KeptLists& lists, int64_t width = 0);

// One function a policy.
std::vector<GroupResult> verify_policy_duo_attention(GoldenFile& file);
std::vector<GroupResult> verify_policy_expected_attention(GoldenFile& file);
std::vector<GroupResult> verify_policy_keydiff(GoldenFile& file);
std::vector<GroupResult> verify_policy_knorm(GoldenFile& file);
std::vector<GroupResult> verify_policy_streamingllm(GoldenFile& file);
std::vector<GroupResult> verify_policy_headkv(GoldenFile& file);
std::vector<GroupResult> verify_policy_kivi(GoldenFile& file);
std::vector<GroupResult> verify_policy_pyramidkv(GoldenFile& file);
std::vector<GroupResult> verify_policy_rkv(GoldenFile& file);
std::vector<GroupResult> verify_policy_snapkv(GoldenFile& file);
std::vector<GroupResult> verify_policy_h2o(GoldenFile& file);
std::vector<GroupResult> verify_policy_tova(GoldenFile& file);
std::vector<GroupResult> verify_policy_adakv(GoldenFile& file);
std::vector<GroupResult> verify_policy_cake(GoldenFile& file);

}  // namespace kvscope::verify
