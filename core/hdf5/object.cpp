#include "core/hdf5/object.h"

#include <fmt/format.h>

#include <type_traits>

#include "core/hdf5/call.h"
#include "core/hdf5/element.h"
#include "core/hdf5/text.h"

namespace kvscope::hdf5 {
namespace {

template <class T>
constexpr bool is_list =
    std::is_same_v<T, std::vector<int64_t>> || std::is_same_v<T, std::vector<double>>;

// Reads a scalar or list attribute of a number type.
template <class T>
AttributeValue read_numbers(hid_t attribute, hid_t space, const std::string& where) {
  std::vector<T> values(static_cast<size_t>(H5Sget_simple_extent_npoints(space)));
  const Handle type = element_type(element_of<T>(), 0);
  if (!values.empty()) {
    checked(ErrorKind::kInput, where, "read the attribute",
            [&] { return H5Aread(attribute, type.id(), values.data()); });
  }
  if (H5Sget_simple_extent_type(space) == H5S_SCALAR) return values.at(0);
  return values;
}

}  // namespace

void Object::set_attribute(const std::string& name, const AttributeValue& value) {
  const std::string place = fmt::format("{}@{}", where_, name);
  const auto write = [&](const Handle& type, const Handle& space, const void* data) {
    if (has_attribute(name)) {
      checked(ErrorKind::kEnvironment, place, "replace the attribute",
              [&] { return H5Adelete(id(), name.c_str()); });
    }
    const Handle attribute(checked(ErrorKind::kEnvironment, place, "create the attribute",
                                   [&] {
                                     return H5Acreate2(id(), name.c_str(), type.id(), space.id(),
                                                       H5P_DEFAULT, H5P_DEFAULT);
                                   }),
                           H5Aclose);
    checked(ErrorKind::kEnvironment, place, "write the attribute",
            [&] { return H5Awrite(attribute.id(), type.id(), data); });
  };
  const auto write_value = [&]<class T>(const T& content) {
    if constexpr (std::is_same_v<T, std::string>) {
      check_text(content, place);
      const char* text = content.c_str();
      write(variable_text_type(), {H5Screate(H5S_SCALAR), H5Sclose}, &text);
    } else if constexpr (is_list<T>) {
      const hsize_t size = content.size();
      write(element_type(element_of<typename T::value_type>(), 0),
            {H5Screate_simple(1, &size, nullptr), H5Sclose}, content.data());
    } else {
      write(element_type(element_of<T>(), 0), {H5Screate(H5S_SCALAR), H5Sclose}, &content);
    }
  };
  std::visit(write_value, value);
}

bool Object::has_attribute(const std::string& name) const {
  return checked(ErrorKind::kInput, where_, "look for attributes",
                 [&] { return H5Aexists(id(), name.c_str()); }) > 0;
}

AttributeValue Object::attribute(const std::string& name) const {
  const std::string place = fmt::format("{}@{}", where_, name);
  if (!has_attribute(name)) {
    throw Error(ErrorKind::kInput, fmt::format("{}: no attribute '{}'", where_, name));
  }
  const Handle attribute(checked(ErrorKind::kInput, place, "open the attribute",
                                 [&] { return H5Aopen(id(), name.c_str(), H5P_DEFAULT); }),
                         H5Aclose);
  const Handle type(H5Aget_type(attribute.id()), H5Tclose);
  const Handle space(H5Aget_space(attribute.id()), H5Sclose);
  switch (H5Tget_class(type.id())) {
    case H5T_STRING:
      return read_scalar_text(type.id(), space.id(), place, [&](hid_t memory_type, void* target) {
        return H5Aread(attribute.id(), memory_type, target);
      });
    case H5T_INTEGER:
      return read_numbers<int64_t>(attribute.id(), space.id(), place);
    case H5T_FLOAT:
      return read_numbers<double>(attribute.id(), space.id(), place);
    default:
      throw Error(ErrorKind::kInput,
                  fmt::format("{}: expected a number, a list of numbers or a text", place));
  }
}

void Object::flush() {
  checked(ErrorKind::kEnvironment, where_, "flush the file",
          [&] { return H5Fflush(id(), H5F_SCOPE_GLOBAL); });
}

}  // namespace kvscope::hdf5
