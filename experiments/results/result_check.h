#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "core/hdf5/seal.h"
#include "experiments/results/result_file.h"

namespace kvscope {

/// Values of one row by the names of the metrics that its file has, known or not.
using StoredMetrics = std::map<std::string, double>;

/// The first 64 bits of a SHA-256 over a row as a file of `version` holds it.
uint64_t row_check(const PointInfo& point,
                   const ImageRow& row,
                   const StoredMetrics& metrics,
                   int64_t version);

/// The row's values of every metric of result files.
StoredMetrics stored_metrics(const ImageRow& row);

/// SHA-256 over what a file says about its point.
std::string head_check(const PointInfo& point, bool finished, int64_t finished_unix_ns);

}  // namespace kvscope
