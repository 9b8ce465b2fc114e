#pragma once

#include <filesystem>

#include "analysis/attention/attention_record.h"

namespace kvscope {

/// What the root's attribute "schema" of such a file says.
inline constexpr const char* kAttentionSchema = "kvscope.attention";

// attention.h5, little-endian, readable by h5py (docs/attention_files.md). One layout for whatever
// statistics there are:
//   /@schema = "kvscope.attention" @schema_version = 3 @model @point @recording @images
//     @asked_images @layers
//     @heads @head_dim @cfg_branch = "conditional"
//   /prompts                text [images]
//   /steps/kind, height, width, first_token, stored       i64 [S]; kind 0 prefill, 1 scale, 2 token
//   /arrays/<name>          f32 or f16, a dimension an axis: labelled, its coordinates attached as
//                           dimension scales; @unit @help @parameters, a JSON object of integers
//   /variances/<name>       likewise, between images, of the arrays that are means
//   /of_images/<name>       likewise, of every image, along a first dimension "image", where that
//                           is few numbers
//   /axes/<axis>            i64, the coordinate of an axis that has one
//   /axes/<axis>/<name>     i64, a coordinate of an axis that has several
// Files of schema version 2 have other names of arrays (former_names.h), those of version 1 places
// of their own for every array (attention_file_v1.h).

/// Writes the record whole or not at all. Throws Error(kEnvironment), Error(kAudit) where arrays
/// have different axes of one name.
void write_attention(const std::filesystem::path& path, const AttentionRecord& record);

/// Reads files of all of these versions. Throws Error(kInput) naming what is missing, damaged or of
/// another schema.
AttentionRecord read_attention(const std::filesystem::path& path);

}  // namespace kvscope
