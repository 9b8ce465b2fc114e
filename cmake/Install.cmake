# What `cmake --install build --prefix P` puts where (docs/install.md). Everything is found relative to the program, so a
# prefix may be moved; LibTorch is not copied, its folder is in the program's run path.
set(CMAKE_INSTALL_MESSAGE LAZY)
include(CMakePackageConfigHelpers)

install(TARGETS kvscope RUNTIME DESTINATION bin)
set_target_properties(kvscope PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
if(TARGET kvscope_cuda)
  install(TARGETS kvscope_cuda LIBRARY DESTINATION lib OPTIONAL)
  set_target_properties(kvscope_cuda PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
endif()
install(DIRECTORY configs models DESTINATION share/kvscope PATTERN ".*" EXCLUDE)
install(FILES LICENSE README.md CHANGELOG.md DESTINATION share/doc/kvscope)

# For components of policies of one's own: what their sources include, and how they are compiled.
install(DIRECTORY kernels core policies DESTINATION include/kvscope FILES_MATCHING PATTERN "*.h")
install(PROGRAMS tools/build_policy DESTINATION bin RENAME kvscope-build-policy)
kvscope_plugin_flags(${PROJECT_BINARY_DIR}/installed_plugin_flags {prefix}/include/kvscope)
install(FILES ${PROJECT_BINARY_DIR}/installed_plugin_flags DESTINATION lib/kvscope RENAME plugin_flags)

set(package ${PROJECT_BINARY_DIR}/package)
list(JOIN kvscope_plugin_options " " kvscope_plugin_option_list)
configure_package_config_file(cmake/kvscopeConfig.cmake.in ${package}/kvscopeConfig.cmake
  INSTALL_DESTINATION lib/cmake/kvscope)
# Components exchange C++ objects with the program: only what was built with the same headers fits.
write_basic_package_version_file(${package}/kvscopeConfigVersion.cmake COMPATIBILITY ExactVersion)
install(FILES ${package}/kvscopeConfig.cmake ${package}/kvscopeConfigVersion.cmake DESTINATION lib/cmake/kvscope)

# What the program says of itself, from the declarations that it parses its command line with.
install(CODE [[
  set(prefix "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}")
  function(said_by_kvscope file)
    get_filename_component(folder "${prefix}/${file}" DIRECTORY)
    file(MAKE_DIRECTORY "${folder}")
    execute_process(COMMAND "${prefix}/bin/kvscope" ${ARGN} OUTPUT_FILE "${prefix}/${file}" RESULT_VARIABLE status)
    if(NOT status EQUAL 0)
      message(FATAL_ERROR "kvscope ${ARGN}: exit ${status}")
    endif()
    message(STATUS "Made: ${prefix}/${file}")
  endfunction()
  said_by_kvscope(share/man/man1/kvscope.1 man)
  said_by_kvscope(share/bash-completion/completions/kvscope completion bash)
  said_by_kvscope(share/zsh/site-functions/_kvscope completion zsh)
  said_by_kvscope(share/fish/vendor_completions.d/kvscope.fish completion fish)
]])
