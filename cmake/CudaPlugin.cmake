# libkvscope_cuda.so: the kernels' CUDA bodies, opened at run time when device=cuda is asked for (core/device).
# Built where nvcc of CUDA 13, the one of the pinned LibTorch, is found; nothing links against it.
# Included by kernels/CMakeLists.txt, as a language must be enabled in file scope.
if(NOT KVSCOPE_CUDA)
  return()
endif()
find_program(KVSCOPE_NVCC nvcc HINTS ENV CUDACXX ENV CUDA_HOME ENV CUDA_PATH PATHS /usr/local/cuda
  PATH_SUFFIXES bin)
if(NOT KVSCOPE_NVCC OR NOT TARGET kvscope::torch_cuda)
  message(STATUS "CUDA plug-in: not built (no nvcc, or a LibTorch without CUDA); device=cuda will say so")
  return()
endif()
execute_process(COMMAND ${KVSCOPE_NVCC} --version OUTPUT_VARIABLE kvscope_nvcc_version)
if(NOT kvscope_nvcc_version MATCHES "release 13\\.")
  message(STATUS "CUDA plug-in: not built (${KVSCOPE_NVCC} is not of CUDA 13)")
  return()
endif()

# "native" would need a GPU here. A100 and Hopper; the kernels use nothing newer than sm_80.
if(NOT CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES 80-real 90a-real)
endif()
set(CMAKE_CUDA_COMPILER ${KVSCOPE_NVCC})
if(CCACHE_PROGRAM AND NOT CMAKE_CUDA_COMPILER_LAUNCHER)
  set(CMAKE_CUDA_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()
enable_language(CUDA)
find_package(CUDAToolkit REQUIRED)

# C++17, as CMake 3.25 knows no later dialect for nvcc; the .cu files need no more.
file(GLOB_RECURSE kvscope_cuda_sources CONFIGURE_DEPENDS *_cuda.cu *_cuda.cpp *_plugin.cpp)
add_library(kvscope_cuda SHARED ${kvscope_cuda_sources})
set_target_properties(kvscope_cuda PROPERTIES LINKER_LANGUAGE CXX CUDA_RUNTIME_LIBRARY Shared CUDA_STANDARD 17
  CUDA_ARCHITECTURES "${CMAKE_CUDA_ARCHITECTURES}" LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/kernels)
target_include_directories(kvscope_cuda PRIVATE ${PROJECT_SOURCE_DIR})
target_compile_options(kvscope_cuda PRIVATE
  $<$<COMPILE_LANGUAGE:CXX>:-march=x86-64-v3 -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Werror>
  $<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-Wall,-Wextra -Werror=all-warnings>)
target_link_libraries(kvscope_cuda PRIVATE kvscope::torch_cuda CUDA::cudart)
# What LibTorch's CUDA libraries need themselves is found where PyTorch is installed, not here.
target_link_options(kvscope_cuda PRIVATE -Wl,--unresolved-symbols=ignore-in-shared-libs)
message(STATUS "CUDA plug-in: built by ${KVSCOPE_NVCC} for ${CMAKE_CUDA_ARCHITECTURES}")
