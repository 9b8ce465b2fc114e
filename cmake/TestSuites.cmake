# kvscope_discover_suites(TARGET PREFIX FILTER): a ctest test of every GoogleTest suite in TARGET that FILTER lets through,
# PREFIX.SUITE. One of every test case, as gtest_discover_tests has it, starts two thousand programs, each of which loads
# LibTorch, a third of a second: five minutes of the whole run. Runs itself as a script behind TARGET's build.
if(CMAKE_SCRIPT_MODE_FILE)
  execute_process(COMMAND ${program} --gtest_list_tests --gtest_filter=${filter}
    OUTPUT_VARIABLE listed RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${program} --gtest_list_tests: ${status}")
  endif()
  # A suite begins its line, its tests are indented: "Every/Policies.", "  Keep/h2o  # GetParam() = ...".
  string(REGEX MATCHALL "(^|\n)[A-Za-z0-9_/]+\\.( |\n)" suites "${listed}")
  set(text "")
  foreach(suite ${suites})
    string(REGEX REPLACE "[. \n]" "" suite "${suite}")
    string(APPEND text
      "add_test(${prefix}.${suite} ${program} --gtest_filter=${suite}.*)\n"
      "set_tests_properties(${prefix}.${suite} PROPERTIES WORKING_DIRECTORY ${folder} TIMEOUT 600)\n")
  endforeach()
  file(WRITE ${output} "${text}")
  return()
endif()

set(KVSCOPE_TEST_SUITES ${CMAKE_CURRENT_LIST_FILE})
function(kvscope_discover_suites target prefix filter)
  set(output ${CMAKE_CURRENT_BINARY_DIR}/${target}_suites.cmake)
  add_custom_command(TARGET ${target} POST_BUILD BYPRODUCTS ${output}
    COMMAND ${CMAKE_COMMAND} -Dprogram=$<TARGET_FILE:${target}> -Dprefix=${prefix} "-Dfilter=${filter}" -Doutput=${output}
      -Dfolder=${CMAKE_CURRENT_BINARY_DIR} -P ${KVSCOPE_TEST_SUITES} VERBATIM)
  set(include ${CMAKE_CURRENT_BINARY_DIR}/${target}_include.cmake)
  file(WRITE ${include}
    "if(EXISTS \"${output}\")\n  include(\"${output}\")\nelse()\n  add_test(${target}_NOT_BUILT ${target}_NOT_BUILT)\nendif()\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${include})
endfunction()
