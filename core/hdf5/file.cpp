#include "core/hdf5/file.h"

#include <system_error>
#include <utility>

#include "core/hdf5/call.h"

namespace kvscope::hdf5 {
namespace {

// The library flushes again at exit what could not be written, and crashes there where the disk is
// still full. Every file here is flushed and closed by its owner, so it has nothing to do.
void no_work_at_exit() {
  [[maybe_unused]] static const herr_t asked = H5dont_atexit();
}

}  // namespace

File::File(Handle handle, const std::filesystem::path& path)
    : handle_(std::move(handle)),
      root_(Handle(checked(ErrorKind::kInput,
                           path.string(),
                           "open the root group",
                           [&] { return H5Gopen2(handle_.id(), "/", H5P_DEFAULT); }),
                   H5Gclose),
            path.string() + ":/") {}

File File::create(const std::filesystem::path& path, int64_t free_bytes) {
  no_work_at_exit();
  if (path.has_parent_path()) {
    std::error_code error;  // the library's own error follows where this fails
    std::filesystem::create_directories(path.parent_path(), error);
  }
  const std::string where = path.string();
  const Handle properties(checked(ErrorKind::kEnvironment, where, "create the file",
                                  [] { return H5Pcreate(H5P_FILE_CREATE); }),
                          H5Pclose);
  checked(ErrorKind::kEnvironment, where, "leave bytes before the file",
          [&] { return H5Pset_userblock(properties.id(), static_cast<hsize_t>(free_bytes)); });
  Handle handle(
      checked(ErrorKind::kEnvironment, where, "create the file",
              [&] { return H5Fcreate(path.c_str(), H5F_ACC_TRUNC, properties.id(), H5P_DEFAULT); }),
      H5Fclose);
  return {std::move(handle), path};
}

File File::open(const std::filesystem::path& path, Access access) {
  no_work_at_exit();
  const unsigned flags = access == Access::kRead ? H5F_ACC_RDONLY : H5F_ACC_RDWR;
  Handle handle(checked(ErrorKind::kInput, path.string(), "open the file",
                        [&] { return H5Fopen(path.c_str(), flags, H5P_DEFAULT); }),
                H5Fclose);
  return {std::move(handle), path};
}

}  // namespace kvscope::hdf5
