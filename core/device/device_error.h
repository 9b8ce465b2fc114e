#pragma once

#include <c10/util/Exception.h>

#include <exception>
#include <optional>

#include "core/base/error.h"
#include "core/base/out_of_memory.h"

namespace kvscope {

/// What an error of LibTorch says about the device, in one line: Error(kEnvironment) where its
/// memory is exhausted or it has failed; nullopt where it says something else. A device that has
/// failed answers every later call of the process with the same error.
std::optional<Error> device_error(const c10::Error& error);

/// An exception as lack of memory, of the host or of a device, in one line; nullopt where it is
/// something else.
std::optional<OutOfMemory> out_of_memory(const std::exception& error);

}  // namespace kvscope
