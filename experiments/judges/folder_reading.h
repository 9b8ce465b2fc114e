#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/image/picture_header.h"
#include "experiments/judges/judge_prompts.h"

namespace kvscope {

/// A file or folder, and what a judge does about it.
struct FileRemark {
  std::string place{};  ///< relative to the folder; empty: the folder as a whole
  std::string why{};
  bool operator==(const FileRemark&) const = default;
};

/// What a reader makes of a folder.
struct FolderReading {
  std::string reader{};               ///< "clean-fid", where a judge has several
  std::vector<std::string> read{};    ///< taken as a picture, in its order
  std::vector<FileRemark> skipped{};  ///< passed over in silence
  std::vector<FileRemark> misread{};  ///< taken, but for something else than it is
  std::vector<FileRemark> stops{};    ///< ends the run with an error
  std::vector<FileRemark> missing{};  ///< expected of the prompts, and not there
  std::vector<std::string> notes{};   ///< what the reader's totals will not say

  [[nodiscard]] bool is_clean() const {
    return skipped.empty() && misread.empty() && stops.empty() && missing.empty() && !read.empty();
  }
};

/// The files of a folder, relative, sorted, those that begin with a dot too.
struct FolderListing {
  std::filesystem::path root{};
  std::vector<std::string> files{};

  /// Throws Error(kInput) where it is no folder, or holds more than a million files.
  static FolderListing of(const std::filesystem::path& folder);
};

struct ReadRequest {
  const FolderListing& listing;
  std::optional<PromptList> prompts{};  ///< where they are known: what is missing can be said
  int64_t samples = 0;                  ///< of a prompt, as the judge is asked for; 0: its own
};

/// The names of the folders right below the listing's root, sorted; those without files too.
std::vector<std::string> folders_of(const FolderListing& listing);

/// The listing of a folder below, places relative to it.
FolderListing listing_below(const FolderListing& listing, const std::string& folder);

/// Whether a folder reader takes a file, by its place below the folder.
using TakesFile = std::function<bool(std::string_view place)>;

/// Sorts the files of a listing into read and skipped, by rule.
FolderReading read_by(const std::string& reader,
                      const FolderListing& listing,
                      const TakesFile& takes);

/// Looks into every picture that is read: what is no picture at all, of another codec than its name
/// says, not 8-bit RGB, or of another size than the first, is misread.
void check_pictures(FolderReading& reading, const FolderListing& listing);

/// Of a PNG or JPEG, by its first bytes.
std::optional<PictureHeader> picture_size(const std::filesystem::path& file);

/// Splits "a/b/c.png" at its slashes.
std::vector<std::string_view> parts_of(std::string_view place);
/// The name behind the last slash, and what comes behind its last dot (with the dot).
std::string_view name_of_place(std::string_view place);
std::string_view ending_of(std::string_view name);
/// A to Z as a to z.
std::string ascii_lower(std::string_view text);

}  // namespace kvscope
