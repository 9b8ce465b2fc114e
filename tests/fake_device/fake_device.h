#pragma once

#include <c10/core/Device.h>

#include <cstdint>

namespace kvscope {

/// A device that behaves like a GPU where programs get it wrong, and computes on the CPU, so that
/// those faults show where no GPU is. It is LibTorch's PrivateUse1 device, "privateuseone:0":
/// - its memory cannot be read or written by the host: following a device pointer is a SIGSEGV;
/// - fresh memory holds NaN (every bit set), as a GPU's holds what was there before;
/// - every operator wants all its tensors on the device and throws c10::Error that names the
///   operator and the argument otherwise, with CUDA's exceptions and no others (device_rules.h);
/// - a CPU generator is refused, and so are the operators and number types that CUDA lacks;
/// - its results are the CPU's bit for bit, except where LibTorch itself takes another path on a
///   GPU (scaled_dot_product_attention is matmul and softmax here).
/// What it cannot show: missing synchronisation (everything is done when a call returns), and the
/// CUDA bodies of kvscope's own operators (their CPU bodies run).
///
/// Made ready on the first call; to be called before any backward pass of the program, as the
/// autograd engine starts a thread for each device on its first.
c10::Device open_fake_device();

/// How often the host waited for the whole device (synchronizeDevice) so far.
int64_t fake_device_synchronisations();

}  // namespace kvscope
