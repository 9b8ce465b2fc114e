#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace kvscope {

struct ContactSheetOptions {
  std::filesystem::path folder{};   ///< DIR with points/*/result.h5
  int64_t prompts = 8;              ///< columns at most
  int64_t magnification = 0;        ///< 0: so that an image is about 128 pixels wide
  std::vector<std::string> only{};  ///< "label=value" each, see points_with()
};

/// One row a policy and budget, the same images across: DIR/report/contact_sheet.{svg,png}.
/// Returns the exit code. Throws Error(kInput) for a folder without points, Error(kConfig) for an
/// impossible number.
int contact_sheet_command(const ContactSheetOptions& options);

}  // namespace kvscope
