// The reader of torch.save's zip archives on any bytes: it may only give tensors or throw Error.
#include "core/base/error.h"
#include "core/checkpoint/state_dict.h"
#include "core/checkpoint/torch_zip.h"
#include "tests/fuzz/fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const kvscope::MemoryFile file(data, size);
  try {
    kvscope::use_all(kvscope::without_wrappers(kvscope::read_torch_zip(file.path())));
  } catch (const kvscope::Error&) {
    // refused, as most inputs are
  }
  return 0;
}
