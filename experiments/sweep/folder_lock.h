#pragma once

#include <filesystem>

namespace kvscope {

/// Keeps other runs out of a results folder for as long as it lives; a killed run leaves no lock.
class FolderLock {
 public:
  /// Creates the folder. Throws Error(kEnvironment) where it cannot be written or another process
  /// holds it.
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_ = -1;
};

}  // namespace kvscope
