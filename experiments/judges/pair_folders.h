#pragma once

#include <string>

#include "experiments/judges/folder_reading.h"

namespace kvscope {

/// What a reader of two folders of pictures makes of them.
enum class PairedBy {
  kPosition,  ///< the sorted names of both, one after the other, whatever they are
  kName       ///< the same name in both; the rest is dropped without a word
};

/// Places are relative to the folder that holds both. Pairs of different names are misread, files
/// without a partner skipped or, by position, the reason why all later ones are misread.
FolderReading read_pairs(const std::string& reader,
                         const FolderListing& listing,
                         const std::string& first,
                         const std::string& second,
                         PairedBy paired_by,
                         bool (*takes)(std::string_view place));

}  // namespace kvscope
