#pragma once

#include <filesystem>

namespace kvscope {

/// Where the programs of one user on this machine keep what they tell each other while they run:
/// KVSCOPE_RUNTIME_FOLDER, or /tmp/kvscope-UID, which is the same in every kind of session. Made,
/// for this user alone, where it is absent. Throws Error(kEnvironment) where it cannot be, or is
/// another user's.
std::filesystem::path runtime_folder();

}  // namespace kvscope
