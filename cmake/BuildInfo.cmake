# kvscope_build_info(TARGET): compiles into TARGET what it was built from (experiments/build_info.h): commit and state of
# the sources, compiler, flags, libraries. One small source, written anew only where that has changed, so that a commit
# costs one compilation. Runs itself as a script at build time.
if(CMAKE_SCRIPT_MODE_FILE)
  set(commit "")
  set(is_dirty false)
  find_program(git git)
  if(git)
    execute_process(COMMAND ${git} -C ${source} rev-parse HEAD
      OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    execute_process(COMMAND ${git} -C ${source} status --porcelain --untracked-files=no
      OUTPUT_VARIABLE changes ERROR_QUIET)
    if(NOT changes STREQUAL "")
      set(is_dirty true)
    endif()
  endif()
  string(REPLACE "|" ";" libraries "${libraries}")
  set(pairs)
  foreach(library ${libraries})
    string(REGEX MATCH "^([^=]+)=(.*)$" found "${library}")
    string(APPEND pairs "    {\"${CMAKE_MATCH_1}\", \"${CMAKE_MATCH_2}\"},\n")
  endforeach()
  set(text "#include \"experiments/build_info.h\"\n
namespace kvscope {\n
const BuildInfo& build_info() {
  static const BuildInfo info{.commit = \"${commit}\",
                              .is_dirty = ${is_dirty},
                              .compiler = \"${compiler}\",
                              .flags = \"${flags}\",
                              .libraries = {
${pairs}  }};
  return info;
}\n
}  // namespace kvscope\n")
  set(before "")
  if(EXISTS ${output})
    file(READ ${output} before)
  endif()
  if(NOT before STREQUAL text)
    file(WRITE ${output} "${text}")
  endif()
  return()
endif()

set(KVSCOPE_BUILD_INFO ${CMAKE_CURRENT_LIST_FILE})
function(kvscope_build_info target)
  set(output ${CMAKE_CURRENT_BINARY_DIR}/build_info.cpp)
  string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
  string(STRIP "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${type}} -march=x86-64-v3" flags)
  list(JOIN ARGN "|" libraries)
  add_custom_target(${target}_build_info
    COMMAND ${CMAKE_COMMAND} -Dsource=${PROJECT_SOURCE_DIR} -Doutput=${output}
      "-Dcompiler=${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}" "-Dflags=${flags}" "-Dlibraries=${libraries}"
      -P ${KVSCOPE_BUILD_INFO}
    BYPRODUCTS ${output} VERBATIM)
  target_sources(${target} PRIVATE ${output})
  set_source_files_properties(${output} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
  add_dependencies(${target} ${target}_build_info)
endfunction()
