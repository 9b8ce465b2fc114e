# Imported targets for the LibTorch inside a PyTorch wheel. find_package(Torch) of that wheel switches
# CUDA on and needs a GPU to choose an architecture, so the few facts we need are stated here.
#
# In:  LIBTORCH_ROOT  folder that holds include/ and lib/ (".../torch" of an unpacked wheel, or a
#                     stand-alone LibTorch); cache variable or environment variable.
# Out: kvscope::torch       libtorch_cpu + libc10 and their headers
#      kvscope::torch_cuda  the headers plus libc10_cuda, for the CUDA plug-in (only when nvcc is there)

set(LIBTORCH_ROOT "$ENV{LIBTORCH_ROOT}" CACHE PATH "Folder with LibTorch's include/ and lib/")
if(NOT EXISTS "${LIBTORCH_ROOT}/lib/libtorch_cpu.so")
  message(FATAL_ERROR "LIBTORCH_ROOT='${LIBTORCH_ROOT}' has no lib/libtorch_cpu.so. "
                      "Run ./run_tests or ./quickstart, which fetch the pinned LibTorch, "
                      "or pass -DLIBTORCH_ROOT=<folder of PyTorch 2.11, the one with include/ and lib/>.")
endif()

add_library(kvscope_c10 SHARED IMPORTED)
set_target_properties(kvscope_c10 PROPERTIES IMPORTED_LOCATION "${LIBTORCH_ROOT}/lib/libc10.so")
add_library(kvscope_torch_cpu SHARED IMPORTED)
set_target_properties(kvscope_torch_cpu PROPERTIES IMPORTED_LOCATION "${LIBTORCH_ROOT}/lib/libtorch_cpu.so")

add_library(kvscope_torch INTERFACE)
# Behind the system's own folders: LibTorch brings copies of fmt and nlohmann-json of other versions than
# the libraries we link.
target_compile_options(kvscope_torch INTERFACE
  "$<$<COMPILE_LANGUAGE:CXX>:SHELL:-idirafter ${LIBTORCH_ROOT}/include>"
  "$<$<COMPILE_LANGUAGE:CXX>:SHELL:-idirafter ${LIBTORCH_ROOT}/include/torch/csrc/api/include>")
target_include_directories(kvscope_torch SYSTEM INTERFACE
  $<$<COMPILE_LANGUAGE:CUDA>:${LIBTORCH_ROOT}/include>)
target_link_libraries(kvscope_torch INTERFACE kvscope_torch_cpu kvscope_c10)
# libtorch_cpu.so finds the CUDA runtime wheels beside it by its own run path; the linker needs telling.
target_link_options(kvscope_torch INTERFACE "-Wl,--allow-shlib-undefined")
# at::parallel_for is a template: without OpenMP in our own flags it silently runs on one thread. LibTorch
# brings its own libgomp; the flag, rather than FindOpenMP's full path, lets the one beside it be found.
target_compile_options(kvscope_torch INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fopenmp>)
target_link_options(kvscope_torch INTERFACE $<$<LINK_LANGUAGE:CXX>:-fopenmp>)
add_library(kvscope::torch ALIAS kvscope_torch)

if(EXISTS "${LIBTORCH_ROOT}/lib/libc10_cuda.so")
  add_library(kvscope_torch_cuda INTERFACE)
  target_link_libraries(kvscope_torch_cuda INTERFACE kvscope_torch "${LIBTORCH_ROOT}/lib/libc10_cuda.so")
  add_library(kvscope::torch_cuda ALIAS kvscope_torch_cuda)
endif()
