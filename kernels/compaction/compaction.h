#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

#include "kernels/ragged/ragged.h"

namespace kvscope {

/// Writes the current step's rows behind the history of every (row, head):
///   keys[begin + length + i] = k[row, head, i], values likewise, i = 0 .. tokens - 1.
/// `k`, `v` [rows, heads, tokens, head_dim], fp32 or bf16, rounded to the arena's types. The caller
/// owns begin and length, guarantees capacity for length + tokens rows behind each begin, and
/// advances length afterwards. Nothing is allocated. Throws c10::Error where shapes, types or
/// devices do not fit.
void append_rows(const RaggedRows& history, const at::Tensor& k, const at::Tensor& v);

/// Keeps some of [history | k, v] of every (row, head), in place: with slot s = row * heads + head
/// and kept_s = kept[kept_begin[s] .. kept_begin[s + 1]),
///   arena row begin[s] + j = [history | current] row kept_s[j].
/// An index below length[s] is a cached row, one at or above it the current row (index -
/// length[s]). `kept_begin` [rows * heads + 1]. A slot's list has one of two forms, both safe in
/// place:
///   ordered: strictly ascending, so that kept_s[j] >= j and a row only moves towards the front;
///   hole filling: with M = the number of kept rows, kept_s[j] = j where row j stays, and an index
///     of at least M where it goes. Rows that stay are not touched, and what moves is never
///     overwritten: |evicted rows below M| rows move, where the ordered form moves all behind the
///     first of them.
/// The caller guarantees capacity for the kept rows and sets length afterwards. Indices are
/// trusted: KvCache::keep() checks them.
void compact_rows(const RaggedRows& history,
                  const at::Tensor& k,
                  const at::Tensor& v,
                  std::span<const int64_t> kept,
                  std::span<const int64_t> kept_begin);

}  // namespace kvscope
