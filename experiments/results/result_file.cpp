#include "experiments/results/result_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <system_error>
#include <type_traits>

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/hdf5/file.h"
#include "core/image/png.h"
#include "experiments/results/result_columns.h"
#include "experiments/results/result_schema.h"

namespace kvscope {
namespace {

constexpr int64_t kChunkRows = 64;

template <class T>
void fill_column(hdf5::Dataset& dataset, const ResultColumn<T>& column, int64_t rows) {
  for (int64_t begin = 0; begin < rows; begin += kChunkRows) {
    const auto count = static_cast<size_t>(std::min(kChunkRows, rows - begin));
    if constexpr (std::is_same_v<T, std::string> || std::is_arithmetic_v<T>) {
      dataset.append_unflushed(std::vector<T>(count));
    } else {
      dataset.append_unflushed(
          std::vector<typename T::value_type>(count * static_cast<size_t>(column.width)));
    }
  }
}

int64_t unix_nanoseconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

/// All of a point that is known before its first row, and room for every row: what comes later
/// overwrites in place. A file that grows can be lost: a kill between the writes of one flush
/// leaves an index that points beyond the end that the file's head states.
void write_head(hdf5::File& file, const PointInfo& point, bool finished) {
  hdf5::Group& root = file.root();
  root.set_attribute("schema", std::string(kResultSchema));
  root.set_attribute("schema_version", kResultSchemaVersion);
  root.set_attribute("point", point.point_hash);
  root.set_attribute("finished", int64_t{finished});
  if (finished) root.set_attribute(kFinishedTime, unix_nanoseconds());
  root.set_attribute("full_cache", int64_t{point.full_cache});
  root.set_attribute("kept_tokens", point.kept_tokens);
  root.set_attribute("full_tokens", point.full_tokens);
  root.set_attribute("budget_tokens", point.budget_tokens);
  root.set_attribute("cut_tokens", point.cut_tokens);
  root.set_attribute("images", point.images);
  root.set_attribute("steps", point.steps);
  root.set_attribute("token_bytes", point.token_bytes);
  root.set_attribute("prompt_bytes", point.prompt_bytes);
  auto labels = nlohmann::json::array();
  for (const auto& [name, text] : point.labels) labels.push_back({name, text});
  root.write_text(kConfigPlace, point.config_yaml);
  root.write_text(kOverridesPlace, fmt::format("{}", fmt::join(point.overrides, "\n")));
  root.write_text(kManifestPlace, point.manifest_json);
  root.write_text(kLabelsPlace,
                  labels.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  for_each_column(point, [&]<class T>(const ResultColumn<T>& column) {
    hdf5::DatasetLayout layout{.chunk_rows = kChunkRows};
    if constexpr (std::is_same_v<T, std::string>) {
      layout.element = hdf5::Element::kText;
      layout.text_bytes = column.width;
    } else if constexpr (std::is_arithmetic_v<T>) {
      layout.element = hdf5::element_of<T>();
    } else {
      layout.element = hdf5::element_of<typename T::value_type>();
      layout.row_shape = {column.width};
    }
    hdf5::Dataset dataset = root.create_dataset(column.name, layout);
    if (!column.units.empty()) dataset.set_attribute("units", column.units);
    fill_column(dataset, column, point.images);
  });
  root.create_dataset(kWrittenPlace, {.element = hdf5::Element::kU8, .chunk_rows = kChunkRows})
      .append_unflushed(std::vector<uint8_t>(static_cast<size_t>(point.images)));
}

template <class T>
void write_value(hdf5::Dataset& dataset, uint64_t row, const T& value) {
  const auto first = static_cast<int64_t>(row);
  if constexpr (std::is_same_v<T, std::string> || std::is_arithmetic_v<T>) {
    dataset.overwrite_unflushed(first, std::span<const T>(&value, 1));
  } else {
    dataset.overwrite_unflushed(first, value);
  }
}

/// A file with these rows that appears whole or not at all.
void write_whole(const std::filesystem::path& path,
                 const PointInfo& point,
                 bool finished,
                 const std::vector<ImageRow>& rows) {
  AtomicFile place(path);
  {
    hdf5::File file = hdf5::File::create(place.part_path());
    write_head(file, point, finished);
    for_each_column(point, [&]<class T>(const ResultColumn<T>& column) {
      hdf5::Dataset dataset = file.root().dataset(column.name);
      for (const ImageRow& row : rows) write_value(dataset, row.image_index, column.get(row));
    });
    hdf5::Dataset written = file.root().dataset(kWrittenPlace);
    for (const ImageRow& row : rows) write_value(written, row.image_index, uint8_t{1});
    file.flush();
  }
  place.commit();
}

std::filesystem::path part_of(std::filesystem::path path) {
  return path += ".part";
}

void check_point(const PointInfo& point, const std::filesystem::path& path) {
  const auto broken_line = std::ranges::any_of(point.overrides, [](const std::string& text) {
    return text.find('\n') != std::string::npos;
  });
  if (point.images < 1 || point.steps < 1 || point.token_bytes < 0 || point.prompt_bytes < 1 ||
      broken_line) {
    throw Error(ErrorKind::kAudit,
                fmt::format("{}: {} images of {} steps, {} token bytes, {} prompt bytes: expected "
                            "positive numbers, and overrides of one line each",
                            path.string(), point.images, point.steps, point.token_bytes,
                            point.prompt_bytes));
  }
}

}  // namespace

std::string PointInfo::label(const std::string& name) const {
  const auto found = std::ranges::find(labels, name, &std::pair<std::string, std::string>::first);
  return found == labels.end() ? std::string() : found->second;
}

struct ResultWriter::Columns {
  hdf5::File file;
  std::vector<hdf5::Dataset> datasets;  // in for_each_column's order
  hdf5::Dataset written;
};

ResultWriter::ResultWriter(std::filesystem::path path, const PointInfo& point)
    : path_(std::move(path)), point_(point) {
  check_point(point_, path_);
  if (std::filesystem::exists(path_)) {
    throw Error(ErrorKind::kInput,
                fmt::format("{}: is finished; remove it to make its images anew", path_.string()));
  }
  const std::filesystem::path part = part_of(path_);
  if (std::filesystem::exists(part)) {
    const ResultFile earlier = read_result(part);
    if (earlier.point.point_hash != point_.point_hash) {
      throw Error(ErrorKind::kInput, fmt::format("{}: holds point {}, expected {}", part.string(),
                                                 earlier.point.point_hash, point_.point_hash));
    }
    if (earlier.point != point_ || earlier.schema_version != kResultSchemaVersion ||
        !earlier.all_metrics) {
      // Made by another version or on another machine.
      for (const ImageRow& row : earlier.rows) check_row(row);
      write_whole(part, point_, false, earlier.rows);
    }
    for (const ImageRow& row : earlier.rows) present_.insert(row.image_index);
  } else {
    write_whole(part, point_, false, {});
  }

  hdf5::File file = hdf5::File::open(part, hdf5::File::Access::kAppend);
  hdf5::Dataset written = file.root().dataset(kWrittenPlace);
  columns_ = std::make_unique<Columns>(Columns{std::move(file), {}, std::move(written)});
  for_each_column(point_, [&]<class T>(const ResultColumn<T>& column) {
    columns_->datasets.push_back(columns_->file.root().dataset(column.name));
  });
}

ResultWriter::~ResultWriter() = default;
ResultWriter::ResultWriter(ResultWriter&&) noexcept = default;
ResultWriter& ResultWriter::operator=(ResultWriter&&) noexcept = default;

void ResultWriter::check_row(const ImageRow& row) const {
  const auto require = [&](bool good, std::string_view what) {
    if (good) return;
    throw Error(ErrorKind::kAudit,
                fmt::format("{}: row of image {}: {}", path_.string(), row.image_index, what));
  };
  require(row.image_index < static_cast<uint64_t>(point_.images), "beyond the point's images");
  require(!present_.contains(row.image_index), "is there already");
  for_each_column(point_, [&]<class T>(const ResultColumn<T>& column) {
    const T value = column.get(row);
    if constexpr (std::is_same_v<T, std::string>) {
      require(value.size() <= static_cast<size_t>(column.width),
              fmt::format("{} has {} bytes, at most {}", column.name, value.size(), column.width));
    } else if constexpr (!std::is_arithmetic_v<T>) {
      require(
          value.size() == static_cast<size_t>(column.width),
          fmt::format("{} has {} values, expected {}", column.name, value.size(), column.width));
    }
  });
}

void ResultWriter::append(const ImageRow& row) {
  if (columns_ == nullptr) {
    throw Error(ErrorKind::kAudit,
                fmt::format("{}: is closed, by finish() or after an error", path_.string()));
  }
  check_row(row);
  try {
    size_t index = 0;
    for_each_column(point_, [&]<class T>(const ResultColumn<T>& column) {
      write_value(columns_->datasets[index++], row.image_index, column.get(row));
    });
    columns_->file.flush();
    write_value(columns_->written, row.image_index, uint8_t{1});
    columns_->file.flush();
  } catch (...) {
    columns_.reset();  // what the library still holds may not reach the disk: start from the file
    throw;
  }
  present_.insert(row.image_index);
}

void ResultWriter::finish() {
  if (static_cast<int64_t>(present_.size()) != point_.images) {
    throw Error(ErrorKind::kAudit, fmt::format("{}: {} of {} images are there, cannot finish",
                                               path_.string(), present_.size(), point_.images));
  }
  columns_.reset();
  const std::filesystem::path part = part_of(path_);
  // Written anew so that the mark of completion, an attribute, appears with all rows or not at all.
  write_whole(part, point_, true, read_result(part).rows);
  std::error_code error;
  std::filesystem::rename(part, path_, error);
  if (error) {
    throw Error(ErrorKind::kEnvironment,
                fmt::format("{}: cannot be renamed to {}: {}", part.string(), path_.string(),
                            error.message()));
  }
}

bool point_finished(const std::filesystem::path& folder) {
  std::error_code error;
  return std::filesystem::exists(folder / "result.h5", error);
}

std::filesystem::path image_path(const std::filesystem::path& folder, uint64_t image_index) {
  return folder / "images" / fmt::format("{:06}.png", image_index);
}

void write_result_image(const std::filesystem::path& folder,
                        const PointInfo& point,
                        const ImageRow& row,
                        const Picture& picture) {
  write_png(image_path(folder, row.image_index), picture,
            {{"point", point.point_hash},
             {"prompt", row.prompt},
             {"prompt_id", fmt::format("{}", row.prompt_id)},
             {"seed", fmt::format("{}", row.seed)}});
}

}  // namespace kvscope
