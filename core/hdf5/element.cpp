#include "core/hdf5/element.h"

#include <fmt/format.h>

#include <array>

#include "core/base/error.h"

namespace kvscope::hdf5 {
namespace {

constexpr std::array kNumbers{Element::kF16, Element::kF32, Element::kF64, Element::kI32,
                              Element::kI64, Element::kU8,  Element::kU64};

hid_t copy_of_number(Element element) {
  switch (element) {
    case Element::kF16: {
      // The fields before the size: the library refuses a size its fields do not fit.
      const hid_t type = H5Tcopy(H5T_IEEE_F32LE);
      H5Tset_fields(type, 15, 10, 5, 0, 10);
      H5Tset_size(type, 2);
      H5Tset_ebias(type, 15);
      return type;
    }
    case Element::kF32:
      return H5Tcopy(H5T_IEEE_F32LE);
    case Element::kF64:
      return H5Tcopy(H5T_IEEE_F64LE);
    case Element::kI32:
      return H5Tcopy(H5T_STD_I32LE);
    case Element::kI64:
      return H5Tcopy(H5T_STD_I64LE);
    case Element::kU8:
      return H5Tcopy(H5T_STD_U8LE);
    case Element::kU64:
      return H5Tcopy(H5T_STD_U64LE);
    case Element::kText:
      break;
  }
  return H5I_INVALID_HID;
}

}  // namespace

std::string_view element_name(Element element) {
  constexpr std::array<std::string_view, 8> kNames{"f16", "f32", "f64", "i32",
                                                   "i64", "u8",  "u64", "text"};
  return kNames.at(static_cast<size_t>(element));
}

int64_t element_bytes(Element element, int64_t text_bytes) {
  switch (element) {
    case Element::kU8:
      return 1;
    case Element::kF16:
      return 2;
    case Element::kF32:
    case Element::kI32:
      return 4;
    case Element::kF64:
    case Element::kI64:
    case Element::kU64:
      return 8;
    case Element::kText:
      break;
  }
  return text_bytes;
}

Handle element_type(Element element, int64_t text_bytes) {
  if (element != Element::kText) return {copy_of_number(element), H5Tclose};
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type.id(), static_cast<size_t>(text_bytes));
  H5Tset_strpad(type.id(), H5T_STR_NULLPAD);
  H5Tset_cset(type.id(), H5T_CSET_UTF8);
  return type;
}

Element element_of_type(hid_t type, const std::string& where, int64_t& text_bytes) {
  if (H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0) {
    text_bytes = static_cast<int64_t>(H5Tget_size(type));
    return Element::kText;
  }
  for (const Element element : kNumbers) {
    if (H5Tequal(type, element_type(element, 0).id()) > 0) return element;
  }
  throw Error(ErrorKind::kInput, fmt::format("{}: an element type kvscope does not write; known: "
                                             "f16, f32, f64, i32, i64, u8, u64, fixed text",
                                             where));
}

}  // namespace kvscope::hdf5
