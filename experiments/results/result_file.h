#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "analysis/metrics/metric_values.h"
#include "core/base/image.h"
#include "experiments/results/metric_origins.h"

namespace kvscope {

/// The number of an image within its point, and of its file: that of its prompt, with the replica
/// in the upper half. It depends on neither how many prompts nor how many replicas are asked for.
constexpr uint64_t image_number(uint64_t prompt_id, uint64_t replica) {
  return replica << 32 | prompt_id;
}

/// What a point of a sweep is, known before its first image. A point's folder is
/// DIR/points/<first 12 digits of the hash>/ with result.h5, images/, config.yaml, manifest.json.
struct PointInfo {
  std::string point_hash{};              ///< 64 hex digits of the resolved config
  std::string setting_hash{};            ///< likewise without the prompts; empty of old files
  std::string config_yaml{};             ///< the resolved config
  std::vector<std::string> overrides{};  ///< as the user wrote them
  std::string manifest_json{};           ///< versions, git sha, machine
  /// What tables print, in order; "policy", "budget" (as written, e.g. "10 %") and "model" are read
  /// by name, others ("seed", ...) are shown where they differ between points.
  std::vector<std::pair<std::string, std::string>> labels{};
  bool full_cache = false;  ///< the point that others are compared with
  double kept_tokens = 0;   ///< mean over (layer, head) going into the last step, as planned
  double full_tokens = 0;   ///< the same of the full cache
  int64_t budget_tokens =
      0;  ///< per (layer, head): what the budget, as the label has it, resolved to
  int64_t target_tokens = 0;  ///< per (layer, head): what the evictions aimed at to stay within it
  int64_t images = 0;         ///< that it asks for: replicas of each prompt, from the first prompt
  int64_t replicas = 1;       ///< of each prompt
  int64_t steps = 0;          ///< S
  int64_t token_bytes = 0;    ///< bytes of one image's packed token ids; 0 stores none
  int64_t prompt_bytes = 1;   ///< UTF-8 bytes of the longest prompt
  MetricOrigins metric_origins{};  ///< of what is measured with weights or settings of its own

  /// The label's text; empty where there is none.
  [[nodiscard]] std::string label(const std::string& name) const;
  /// Whether an image of this number is among those that it asks for.
  [[nodiscard]] bool asks_for(uint64_t image_index) const;
  /// The numbers of all that it asks for, ascending.
  [[nodiscard]] std::vector<uint64_t> asked_images() const;
  bool operator==(const PointInfo&) const = default;
};

inline constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();

/// One image: everything a table or figure needs. NaN where a metric does not apply.
struct ImageRow {
  uint64_t image_index = 0;  ///< see image_number(); of files before version 3 a running number
  uint64_t prompt_id = 0;
  std::string prompt{};
  int64_t prompt_cut_tokens = 0;  ///< of its end, which the model did not see; in its PNG alone
  uint64_t seed = 0;  ///< of this image's generator: equal seeds are compared between points
  std::string token_sha256{};            ///< 64 hex digits of packed_tokens' hash
  std::vector<uint8_t> packed_tokens{};  ///< [token_bytes], see core/models/packed_tokens.h
  std::vector<double> step_ms{};         ///< [S]
  double attention_ms = 0;               ///< in attention kernels
  double policy_ms = 0;                  ///< deciding and compacting
  double total_ms = 0;                   ///< from prompt to image
  int64_t batch = 0;                     ///< images made at once with it; 0: not known
  int64_t kv_planned_bytes = 0;          ///< going into the last step, by the plan
  int64_t kv_live_bytes = 0;             ///< going into the last step, as counted
  int64_t kv_peak_bytes = 0;             ///< most K and V at once, transients too, as counted
  int64_t kv_peak_planned_bytes = 0;     ///< likewise by the plan (core/engine/kv_memory.h)
  int64_t kv_allocated_bytes = 0;        ///< of the arena
  /// Most that was allocated at once from prompt to image, beyond the weights: LibTorch's tensors
  /// (AllocationMeter) and the arena; and what of it the plan predicts, arena and one layer's step.
  int64_t allocator_peak_bytes = 0;
  int64_t allocator_planned_bytes = 0;
  /// Most on the GPU at once, weights and the whole batch; NaN on a CPU.
  double device_peak_bytes = kNotMeasured;
  MetricValues metrics{};  ///< of images and pairs; NaN where not measured
  std::string skill{};     ///< of the prompt, at most 31 bytes; may be empty
};

/// Writes rows into PATH.part, which has capacity for all of them from the start, and makes PATH of
/// it when all that the point asks for are there. Once append() returns, the row survives kill -9;
/// reopening continues with the rows that are missing. Rows that are there and not asked for stay.
class ResultWriter {
 public:
  /// Takes over the rows of PATH and PATH.part, where there are such of the same point. Throws
  /// Error(kInput) where a file belongs to another point or is damaged, Error(kEnvironment) where
  /// the folder cannot be written.
  ResultWriter(const std::filesystem::path& path, const PointInfo& point);
  /// Begins with exactly these rows, whatever the files have. Throws Error(kEnvironment).
  ResultWriter(std::filesystem::path path, const PointInfo& point, std::vector<ImageRow> rows);
  ~ResultWriter();
  ResultWriter(ResultWriter&&) noexcept;
  ResultWriter& operator=(ResultWriter&&) noexcept;

  /// Image numbers whose rows are in the file.
  [[nodiscard]] const std::set<uint64_t>& rows_present() const { return present_; }
  /// Throws Error(kAudit) for an image that is there already or a row that does not fit the
  /// PointInfo, Error(kEnvironment) where the disk is full. Write the image first.
  void append(const ImageRow& row);
  /// Makes PATH; append() is over. Throws Error(kAudit) unless all that the point asks for are
  /// there.
  void finish();

 private:
  struct Columns;
  void check_row(const ImageRow& row) const;

  std::filesystem::path path_;
  PointInfo point_;
  std::vector<uint64_t> image_indices_;  // ascending image numbers, a row each
  std::unique_ptr<Columns> columns_;
  std::set<uint64_t> present_;
};

/// A result file in memory; rows by image number, those that the point does not ask for too.
struct ResultFile {
  PointInfo point{};
  bool finished = false;
  int64_t schema_version = 0;
  /// When it was finished, in nanoseconds since 1970; 0 of files that do not say.
  int64_t finished_unix_ns = 0;
  std::vector<ImageRow> rows{};

  /// Whether every image that the point asks for has a row.
  [[nodiscard]] bool has_all() const;
};

/// PATH of a finished file, or of a part nobody is writing now. A finished file is read only if its
/// bytes have the digest that it begins with; a row of a part that has not the check value stored
/// beside it counts as not written. Throws Error(kInput) naming what is missing, damaged or of
/// another schema.
ResultFile read_result(const std::filesystem::path& path);

/// Writes a finished file, whole or not at all: for what changes in a point without a new image.
/// Throws Error(kEnvironment).
void write_result(const std::filesystem::path& path, const ResultFile& result);

/// Whether the point in `folder` is finished (its result.h5 exists).
bool point_finished(const std::filesystem::path& folder);

/// FOLDER/images/000042.png, or 000042-1.png of its replica 1.
std::filesystem::path image_path(const std::filesystem::path& folder, uint64_t image_index);

/// The image of a file, or none where it is missing or damaged: the latter is said in `notes`.
std::optional<Image> stored_image(const std::filesystem::path& file,
                                  std::vector<std::string>* notes = nullptr);

/// Writes image_path() whole or not at all, with point, prompt, prompt id, seed, and what of the
/// prompt was cut, in its iTXt chunks.
void write_result_image(const std::filesystem::path& folder,
                        const PointInfo& point,
                        const ImageRow& row,
                        const Image& image);

}  // namespace kvscope
