#include "core/hdf5/group.h"

#include <fmt/format.h>

#include <utility>

#include "core/hdf5/call.h"
#include "core/hdf5/text.h"

namespace kvscope::hdf5 {
namespace {

// Creates the groups between, too.
Handle link_properties() {
  Handle properties(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
  H5Pset_create_intermediate_group(properties.id(), 1);
  H5Pset_char_encoding(properties.id(), H5T_CSET_UTF8);
  return properties;
}

}  // namespace

std::string Group::place_of(const std::string& name) const {
  return where().ends_with('/') ? where() + name : where() + "/" + name;
}

bool Group::contains(const std::string& name) const {
  // H5Lexists answers for the last part of a path only and fails where an earlier one is missing.
  for (size_t end = name.find('/'); end != std::string::npos; end = name.find('/', end + 1)) {
    const std::string part = name.substr(0, end);
    const QuietErrors quiet;
    if (end > 0 && H5Lexists(id(), part.c_str(), H5P_DEFAULT) <= 0) return false;
  }
  const QuietErrors quiet;
  return H5Lexists(id(), name.c_str(), H5P_DEFAULT) > 0;
}

void Group::require(const std::string& name) const {
  if (contains(name)) return;
  const std::vector<std::string> known = names();
  throw Error(ErrorKind::kInput,
              fmt::format("{}: no object '{}'. {}", where(), name, suggestion(name, known)));
}

Group Group::create_group(const std::string& name) {
  if (contains(name)) return group(name);
  const Handle links = link_properties();
  Handle handle(
      checked(ErrorKind::kEnvironment, place_of(name), "create the group",
              [&] { return H5Gcreate2(id(), name.c_str(), links.id(), H5P_DEFAULT, H5P_DEFAULT); }),
      H5Gclose);
  return {std::move(handle), place_of(name)};
}

Group Group::group(const std::string& name) const {
  require(name);
  Handle handle(checked(ErrorKind::kInput, place_of(name), "open the group",
                        [&] { return H5Gopen2(id(), name.c_str(), H5P_DEFAULT); }),
                H5Gclose);
  return {std::move(handle), place_of(name)};
}

Dataset Group::create_dataset(const std::string& name, const DatasetLayout& layout) {
  const size_t slash = name.rfind('/');
  if (slash == std::string::npos) {
    return Dataset::create(id(), name, place_of(name), layout);
  }
  Group parent = create_group(name.substr(0, slash));
  return parent.create_dataset(name.substr(slash + 1), layout);
}

Dataset Group::dataset(const std::string& name) const {
  require(name);
  Handle handle(checked(ErrorKind::kInput, place_of(name), "open the dataset",
                        [&] { return H5Dopen2(id(), name.c_str(), H5P_DEFAULT); }),
                H5Dclose);
  return {std::move(handle), place_of(name)};
}

void Group::write_text(const std::string& name, const std::string& text) {
  const std::string place = place_of(name);
  check_text(text, place);
  const Handle type = variable_text_type();
  const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  const Handle links = link_properties();
  const Handle handle(checked(ErrorKind::kEnvironment, place, "create the text",
                              [&] {
                                return H5Dcreate2(id(), name.c_str(), type.id(), space.id(),
                                                  links.id(), H5P_DEFAULT, H5P_DEFAULT);
                              }),
                      H5Dclose);
  const char* characters = text.c_str();
  checked(ErrorKind::kEnvironment, place, "write the text", [&] {
    return H5Dwrite(handle.id(), type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, &characters);
  });
}

std::string Group::read_text(const std::string& name) const {
  require(name);
  const std::string place = place_of(name);
  const Handle handle(checked(ErrorKind::kInput, place, "open the text",
                              [&] { return H5Dopen2(id(), name.c_str(), H5P_DEFAULT); }),
                      H5Dclose);
  const Handle type(H5Dget_type(handle.id()), H5Tclose);
  const Handle space(H5Dget_space(handle.id()), H5Sclose);
  return read_scalar_text(type.id(), space.id(), place, [&](hid_t memory_type, void* target) {
    return H5Dread(handle.id(), memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, target);
  });
}

std::vector<std::string> Group::names() const {
  std::vector<std::string> result;
  const auto visit = [](hid_t, const char* name, const H5L_info_t*, void* target) -> herr_t {
    static_cast<std::vector<std::string>*>(target)->emplace_back(name);
    return 0;
  };
  checked(ErrorKind::kInput, where(), "list the group",
          [&] { return H5Literate(id(), H5_INDEX_NAME, H5_ITER_INC, nullptr, visit, &result); });
  return result;
}

}  // namespace kvscope::hdf5
