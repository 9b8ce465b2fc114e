#pragma once

#include <cstdint>
#include <filesystem>

namespace kvscope {

// Finished files begin with a digest of the rest: the library reads what is damaged as far as it
// gets, which may be beyond its own memory, so it is not given what does not pass.

/// Bytes before the HDF5 file, for its digest.
inline constexpr int64_t kSealBytes = 512;

/// Writes the digest of all that follows into the first kSealBytes of a closed file. Throws
/// Error(kEnvironment).
void seal_file(const std::filesystem::path& path);

enum class Seal { kNone, kGood, kBroken };
/// Whether a file begins with a digest, and has it. Throws Error(kInput) where it cannot be read.
Seal seal_of(const std::filesystem::path& path);

}  // namespace kvscope
