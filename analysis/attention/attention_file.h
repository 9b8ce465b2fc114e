#pragma once

#include <filesystem>

#include "analysis/attention/attention_record.h"

namespace kvscope {

// attention.h5, little-endian, readable by h5py; layers first, steps as /axes says:
//   /@schema = "kvscope.attention" @schema_version @model @point @images @cfg_branch @top_keys
//     @sampled_queries
//   /prompts                        text [images]
//   /axes/layer, head, step, step_kind, scale_h, scale_w, first_token, stored
//   /mass/step_to_step              f32 [L,H,S,S], and step_to_step_variance between images
//   /mass/key/s00, s01, ...         f16 [L,H,K_s]
//   /stats/current_mass, history_mass, history_top_mass   f32 [L,H,S]
//   /stats/selectivity              f32 [L,S], NaN without a history
//   /stats/window_entropy, window_variance   f32 [L]; @queries; absent in older files
//   /stats/query_variance           f32 [L,H], of the last scale; next-scale models
//   /offsets/image                  f32 [L,H,lines,2W-1], @line_tokens = W; next-token models
//   /offsets/condition              f32 [L,H,tokens back]
//   /roles/drafter_score            f32 [L,S], minus the Z-score; @method @drafters
//   /roles/role                     u8 [L,S]: 0 none, 1 drafter, 2 refiner
//   /raw/s11/l07_h03                f16 [Q',K], of the first image; @queries

/// Writes the record and the roles derived from it, whole or not at all. Throws
/// Error(kEnvironment).
void write_attention(const std::filesystem::path& path, const AttentionRecord& record);

/// Throws Error(kInput) naming what is missing, damaged or of another schema.
AttentionRecord read_attention(const std::filesystem::path& path);

}  // namespace kvscope
