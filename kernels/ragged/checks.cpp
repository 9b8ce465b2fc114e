#include "kernels/ragged/checks.h"

#include <c10/util/Exception.h>

namespace kvscope {
namespace {

void check_type(const char* op, const char* name, const at::Tensor& tensor) {
  TORCH_CHECK(tensor.scalar_type() == at::kFloat || tensor.scalar_type() == at::kBFloat16, op, ": ",
              name, " is ", tensor.scalar_type(), ", expected float32 or bfloat16");
}

void check_heads(const char* op,
                 const char* name,
                 const at::Tensor& tensor,
                 const at::Tensor& like,
                 const char* like_name) {
  TORCH_CHECK(tensor.dim() == 4, op, ": ", name, " has shape ", tensor.sizes(),
              ", expected [rows, heads, tokens, head_dim]");
  TORCH_CHECK(tensor.size(0) == like.size(0) && tensor.size(1) == like.size(1) &&
                  tensor.size(3) == like.size(3),
              op, ": ", name, " has shape ", tensor.sizes(), ", which differs from ", like_name,
              " ", like.sizes(), " in rows, heads or head_dim");
  check_type(op, name, tensor);
}

void check_queries(const char* op, const at::Tensor& q, const at::Tensor& k) {
  TORCH_CHECK(q.dim() == 4 && q.size(0) == k.size(0) && q.size(3) == k.size(3), op,
              ": q has shape ", q.sizes(), ", expected [rows = ", k.size(0),
              ", query heads, queries, head_dim = ", k.size(3), "]");
  const bool groups = k.size(1) == 0 ? q.size(1) == 0 : q.size(1) % k.size(1) == 0;
  TORCH_CHECK(groups && q.size(1) >= k.size(1), op, ": q has shape ", q.sizes(), " and ", q.size(1),
              " heads; expected a multiple of the ", k.size(1), " heads of k ", k.sizes());
  check_type(op, "q", q);
}

void check_arena(const char* op, const char* name, const at::Tensor& arena, const at::Tensor& k) {
  TORCH_CHECK(arena.dim() == 2 && arena.size(1) == k.size(3) && arena.is_contiguous(), op, ": ",
              name, " has shape ", arena.sizes(),
              ", expected contiguous [arena rows, head_dim = ", k.size(3), "]");
  TORCH_CHECK(arena.device() == k.device(), op, ": ", name, " is on ", arena.device(),
              ", the current step on ", k.device());
  check_type(op, name, arena);
}

}  // namespace

void check_ragged(const RaggedArguments& a) {
  check_heads(a.op, "k", a.k, a.k, "k");
  if (a.q.defined()) check_queries(a.op, a.q, a.k);
  if (a.v.defined()) {
    check_heads(a.op, "v", a.v, a.k, "k");
    TORCH_CHECK(a.v.size(2) == a.k.size(2), a.op, ": v has ", a.v.size(2), " tokens, k has ",
                a.k.size(2));
  }
  check_arena(a.op, "history.keys", a.history_keys, a.k);
  if (a.history_values.defined()) check_arena(a.op, "history.values", a.history_values, a.k);
  const int64_t slots = a.k.size(0) * a.k.size(1);
  TORCH_CHECK(static_cast<int64_t>(a.begin.size()) == slots &&
                  static_cast<int64_t>(a.length.size()) == slots,
              a.op, ": history has ", a.begin.size(), " begins and ", a.length.size(),
              " lengths, expected rows * heads = ", slots);
  for (int64_t slot = 0; slot < slots; ++slot) {
    TORCH_CHECK(a.begin[slot] >= 0 && a.length[slot] >= 0 &&
                    a.begin[slot] + a.length[slot] <= a.history_keys.size(0),
                a.op, ": history slot ", slot, " spans arena rows ", a.begin[slot], " .. ",
                a.begin[slot] + a.length[slot], " of ", a.history_keys.size(0));
  }
}

void check_lse(const char* op, const at::Tensor& lse, const at::Tensor& q) {
  TORCH_CHECK(lse.sizes() == q.sizes().slice(0, 3) && lse.scalar_type() == at::kFloat &&
                  lse.device() == q.device(),
              op, ": lse is ", lse.scalar_type(), " ", lse.sizes(), " on ", lse.device(),
              ", expected float32 [rows, query heads, queries] = ", q.sizes().slice(0, 3), " on ",
              q.device());
}

}  // namespace kvscope
