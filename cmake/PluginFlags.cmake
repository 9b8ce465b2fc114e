# How components of policies are compiled outside of this build (docs/own_policy.md): as its own sources are.
set(kvscope_plugin_options -fopenmp -march=x86-64-v3)

# kvscope_plugin_flags(FILE INCLUDES): writes for tools/build_policy the compiler and its arguments, one a line; INCLUDES is
# where kvscope's headers lie.
function(kvscope_plugin_flags file includes)
  list(JOIN kvscope_plugin_options "\n" options)
  file(CONFIGURE OUTPUT ${file} @ONLY CONTENT
"${CMAKE_CXX_COMPILER}
-std=c++20
-O2
-fPIC
${options}
-Wall
-I${includes}
-idirafter
${LIBTORCH_ROOT}/include
-idirafter
${LIBTORCH_ROOT}/include/torch/csrc/api/include
")
endfunction()
