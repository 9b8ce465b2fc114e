# kvscope_library(NAME LINK ... [EXCEPT FOLDER...]): one static library of every *.cpp below the current folder, with the
# project's flags, without sub-folders that are targets of their own. Benchmarks, the CUDA plug-in's files and the
# program's main file are told apart by their names.
function(kvscope_compile_options target)
  target_compile_options(${target} PRIVATE
    -march=x86-64-v3 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Werror)
  target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR})
endfunction()

function(kvscope_library name)
  cmake_parse_arguments(ARG "" "" "LINK;EXCEPT" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS *.cpp)
  foreach(folder ${ARG_EXCEPT})
    list(FILTER sources EXCLUDE REGEX "^${CMAKE_CURRENT_SOURCE_DIR}/${folder}/")
  endforeach()
  list(FILTER sources EXCLUDE REGEX "(_bench|_plugin|_cuda|/main|/processor_check)\\.cpp$")
  if(NOT sources)
    set(empty ${CMAKE_CURRENT_BINARY_DIR}/empty.cpp)
    file(WRITE ${empty} "")
    set(sources ${empty})
  endif()
  add_library(${name} STATIC ${sources})
  kvscope_compile_options(${name})
  target_link_libraries(${name} PUBLIC ${ARG_LINK})
  kvscope_precompiled_headers(${name})
endfunction()

# One precompiled header, built once with kvscope_kernels and reused by every other target: ATen.h alone
# costs 9 s a file without it. Reuse needs equal flags, so per-target definitions go into headers.
function(kvscope_precompiled_headers name)
  if(name STREQUAL "kvscope_kernels")
    target_precompile_headers(${name} PRIVATE
      <algorithm> <array> <cstdint> <filesystem> <functional> <map> <memory> <optional> <span>
      <stdexcept> <string> <string_view> <utility> <vector> <ATen/ATen.h>)
  else()
    target_precompile_headers(${name} REUSE_FROM kvscope_kernels)
    # CMake compiles programs with -fPIE and libraries with -fPIC; the shared header takes one of them.
    set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${name} PRIVATE -fPIC)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${name} PRIVATE -fpch-preprocess)
  endif()
endfunction()
