#include "core/base/opened_files.h"

#include <algorithm>
#include <system_error>

namespace kvscope {
namespace {

// Readers lie below every interface that could hand this to them.
thread_local OpenedFiles* listening = nullptr;

}  // namespace

OpenedFiles::OpenedFiles() : outer_(listening) {
  listening = this;
}

OpenedFiles::~OpenedFiles() {
  listening = outer_;
  for (const auto& file : files_) note(file);
}

void OpenedFiles::note(const std::filesystem::path& file) {
  if (listening == nullptr) return;
  std::error_code unknown;
  std::filesystem::path canonical = std::filesystem::canonical(file, unknown);
  if (unknown) canonical = std::filesystem::absolute(file);
  auto& files = listening->files_;
  if (std::ranges::find(files, canonical) == files.end()) files.push_back(std::move(canonical));
}

}  // namespace kvscope
