#include "experiments/judges/pair_folders.h"

#include <fmt/format.h>

#include <algorithm>

namespace kvscope {

FolderReading read_pairs(const std::string& reader,
                         const FolderListing& listing,
                         const std::string& first,
                         const std::string& second,
                         PairedBy paired_by,
                         bool (*takes)(std::string_view place)) {
  const FolderReading a = read_by(reader, listing_below(listing, first), takes);
  const FolderReading b = read_by(reader, listing_below(listing, second), takes);
  FolderReading reading{.reader = reader};
  const auto add = [&](const std::string& folder, const FolderReading& of_folder) {
    for (const std::string& name : of_folder.read) reading.read.push_back(folder + "/" + name);
    for (const FileRemark& file : of_folder.skipped) {
      reading.skipped.push_back({folder + "/" + file.place, file.why});
    }
  };
  add(first, a);
  add(second, b);
  if (paired_by == PairedBy::kPosition) {
    for (size_t i = 0; i < std::min(a.read.size(), b.read.size()); ++i) {
      if (a.read[i] == b.read[i]) continue;
      reading.misread.push_back(
          {fmt::format("{}/{}", second, b.read[i]),
           fmt::format("paired with {}/{}, as all that follow are with others", first, a.read[i])});
      break;
    }
    if (a.read.size() != b.read.size()) {
      reading.misread.push_back({"", fmt::format("{} pictures in {}, {} in {}", a.read.size(),
                                                 first, b.read.size(), second)});
    }
  } else {
    const auto drop = [&](const std::string& folder, const FolderReading& mine,
                          const FolderReading& other) {
      for (const std::string& name : mine.read) {
        if (std::ranges::binary_search(other.read, name)) continue;
        reading.misread.push_back(
            {folder + "/" + name, "has no partner: left out of PSNR and LPIPS, but in FID"});
      }
    };
    drop(first, a, b);
    drop(second, b, a);
  }
  check_pictures(reading, listing);
  return reading;
}

}  // namespace kvscope
