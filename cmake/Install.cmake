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
