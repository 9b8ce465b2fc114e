#pragma once

#include <c10/core/Device.h>

#include <string>

namespace kvscope {

/// What a name of a device stands for: of "auto" it is "cuda" where a GPU, LibTorch's CUDA library
/// and the kernels' plug-in are there, else "cpu", which is said in the log with the reason; every
/// other name is its own. Opens nothing, so that processes that are forked later can.
std::string resolved_device(const std::string& name);

/// "cpu", "cuda" (the first GPU), "cuda:N" or "auto" (resolved_device), made ready. For a GPU,
/// LibTorch's CUDA library and the kernels' plug-in are loaded on first use, so one program serves
/// machines with and without one. To be called before any other work of LibTorch, which asks only
/// once whether there is CUDA. fp32 is computed as fp32 there, never in the shorter TF32.
///
/// Throws Error(kConfig) for any other name, Error(kEnvironment) where no usable GPU, LibTorch CUDA
/// library or plug-in is found; the message says which, and what to do.
c10::Device open_device(const std::string& name);

/// Number of usable GPUs; 0 without a driver. Loads nothing.
int gpu_count();
/// The same, at most 100, asked in a process of its own: asking wakes the driver, which a process
/// must not have done before it forks workers that use it.
int gpu_count_elsewhere();

}  // namespace kvscope
