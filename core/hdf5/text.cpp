#include "core/hdf5/text.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/hdf5/call.h"

namespace kvscope::hdf5 {

Handle variable_text_type() {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type.id(), H5T_VARIABLE);
  H5Tset_cset(type.id(), H5T_CSET_UTF8);
  return type;
}

void check_text(std::string_view text, const std::string& where) {
  if (text.find('\0') != std::string_view::npos) {
    throw Error(ErrorKind::kInput, fmt::format("{}: the text holds a zero byte", where));
  }
}

std::string read_scalar_text(hid_t type,
                             hid_t space,
                             const std::string& where,
                             const std::function<herr_t(hid_t memory_type, void* target)>& read) {
  if (H5Tget_class(type) != H5T_STRING || H5Sget_simple_extent_npoints(space) != 1) {
    throw Error(ErrorKind::kInput, fmt::format("{}: expected one text", where));
  }
  if (H5Tis_variable_str(type) > 0) {
    // The memory type carries the file's character set: the library converts between none.
    char* characters = nullptr;
    checked(ErrorKind::kInput, where, "read the text", [&] { return read(type, &characters); });
    std::string text = characters == nullptr ? "" : characters;
    H5free_memory(characters);
    return text;
  }
  std::string text(H5Tget_size(type), '\0');
  checked(ErrorKind::kInput, where, "read the text", [&] { return read(type, text.data()); });
  text.resize(std::min(text.find('\0'), text.size()));
  return text;
}

}  // namespace kvscope::hdf5
