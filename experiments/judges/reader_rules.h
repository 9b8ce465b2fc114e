#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kvscope {

/// Which files of a folder the published readers take, by the file's place below the folder. Run
/// on the published code of the commits that the judges name.
namespace reader_rules {

/// Deep, without dot files; bmp jpg jpeg pgm png ppm tif tiff webp npy, and JPEG JPG PNG.
bool clean_fid(std::string_view place);
/// Flat, dot files too; lower-case endings alone, no npy.
bool pytorch_fid(std::string_view place);
/// Flat, dot files too; .png and .jpg.
bool scalekv_pairs(std::string_view place);
/// Flat, dot files too; .png.
bool heatkv_pairs(std::string_view place);
/// Flat, no dot files; .png and .PNG.
bool var_npz(std::string_view place);
/// Of a samples folder: begins with digits and ".png", whatever follows.
bool geneval_sample(std::string_view place);
/// The same or ".jpg".
bool geneval_infinity_sample(std::string_view place);
/// Of a style's folder with so many prompts: five digits and ".jpg", the index below that.
bool hpsv2_style(std::string_view place, int64_t prompts);
/// Deep, dot files too; png jpg jpeg in any case.
bool fastvar_clip_walk(std::string_view place);
/// Flat, no dot files; .png.
bool llamagen_t2i(std::string_view place);
/// Six digits and ".png".
bool llamagen_npz(std::string_view place);

}  // namespace reader_rules

/// Whether `text` is one or more decimal digits.
bool is_digits(std::string_view text);

/// Sorted as people read numbers: "2.png" before "10.png".
std::vector<std::string> naturally_sorted(std::vector<std::string> names);

}  // namespace kvscope
