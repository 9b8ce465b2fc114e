#pragma once

#include "analysis/attention/attention_reader.h"
#include "analysis/attention/attention_record.h"

namespace kvscope {

// Schema version 1, which is read and no longer written:
//   /@model @point @images @top_keys @sampled_queries   /prompts
//   /axes/layer, head, step, step_kind, scale_h, scale_w, first_token, stored
//   /mass/step_to_step              f32 [L,H,S,S], and step_to_step_variance between images
//   /mass/key/s00, s01, ...         f16 [L,H,K_s]
//   /stats/history_top_mass         f32 [L,H,S]
//   /stats/window_entropy, window_variance   f32 [L]; @queries; absent in older files
//   /stats/query_variance           f32 [L,H], of the last scale; next-scale models
//   /offsets/image                  f32 [L,H,lines,2W-1], @line_tokens = W; next-token models
//   /offsets/condition              f32 [L,H,tokens back]
//   /raw/s11/l07_h03                f16 [Q',K], of the first image; @queries

/// The same arrays as a recording of today would have. Throws Error(kInput) naming what is missing
/// or damaged.
AttentionRecord read_attention_v1(const AttentionReader& reader);

}  // namespace kvscope
