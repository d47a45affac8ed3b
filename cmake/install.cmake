# Makes `cmake --install`, `find_package(wsio)` and `pkg-config wsio` work.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/wsio)
get_target_property(library_type wsio TYPE)

install(TARGETS wsio EXPORT wsio-targets FILE_SET HEADERS)
install(EXPORT wsio-targets NAMESPACE wsio:: DESTINATION ${config_dir})

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/wsio-config.cmake.in wsio-config.cmake
    INSTALL_DESTINATION ${config_dir}
)
write_basic_package_version_file(wsio-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/wsio-config.cmake ${PROJECT_BINARY_DIR}/wsio-config-version.cmake
    DESTINATION ${config_dir}
)

# A static library's own dependencies are linked by whoever links it; a shared one brings them along.
set(pc_requires "fmt")
set(pc_requires_private "libssl libcrypto simdjson zlib")
set(pc_libs "")
set(pc_libs_private "-lboost_url")  # Boost has no files for pkg-config
if(library_type STREQUAL "STATIC_LIBRARY")
    set(pc_requires "fmt libssl libcrypto simdjson zlib")
    set(pc_requires_private "")
    set(pc_libs "-lboost_url")
    set(pc_libs_private "")
endif()
set(pc_definitions "")
if(NOT WSIO_REACTOR)
    set(pc_definitions "-DWSIO_PORTABLE")
endif()
file(RELATIVE_PATH pc_prefix /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(${CMAKE_CURRENT_LIST_DIR}/wsio.pc.in wsio.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/wsio.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
