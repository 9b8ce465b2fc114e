#pragma once

#include <optional>
#include <string>
#include <vector>

namespace kvscope {

/// Bytes of a unit of memory: B, kB (or KB), MB, GB, TB by 1000, KiB, MiB, GiB, TiB by 1024;
/// nullopt for another word.
std::optional<double> bytes_of_unit(const std::string& unit);
/// All units.
std::vector<std::string> byte_units();

/// "600MiB", "1.5 GB", "4096", in whole bytes. Throws Error(kConfig) that begins with `where`
/// ("budget.bytes") and names what was expected.
double bytes_of_text(const std::string& where, const std::string& text);

/// "600 MiB", "1.5 GB", "1234567 B": the shortest exact way to say it.
std::string exact_bytes_text(double bytes);

}  // namespace kvscope
