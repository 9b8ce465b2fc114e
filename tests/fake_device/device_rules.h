#pragma once

#include <ATen/core/function_schema.h>
#include <ATen/core/stack.h>

#include <string>

namespace kvscope {

/// What CUDA would refuse in a call of an operator, refused by c10::Error that names the operator
/// and the argument:
/// - a tensor on the CPU. CUDA's exceptions: a tensor without dimensions where an element-wise
///   operator takes it for a number, and the indices of index() and index_put(). (Copies between
///   devices do not come here.)
/// - a CPU generator;
/// - an operator that has no CUDA body, and matrix products and convolutions of integers.
/// `arguments` as many as the schema has.
void check_as_cuda_does(const c10::FunctionSchema& schema, torch::jit::Stack::const_iterator first);

/// Operators with a body for CPUs that CUDA does without: it runs LibTorch's general one, made of
/// other operators, and so does the fake device.
bool is_composite_on_cuda(const std::string& name);

}  // namespace kvscope
