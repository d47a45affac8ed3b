# What only those who work on wsio itself need. Nothing here reaches a consumer.

# Gives a target of this project the warnings (-DWSIO_WARNINGS=ON; the presets set it).
function(wsio_developer_options target)
    if(WSIO_WARNINGS)
        target_compile_options(${target} PRIVATE
            -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Werror
        )
    endif()
    if(WSIO_WARNINGS AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        # GCC 12 reports these falsely: for coroutine frames, and for strings whose length it thinks it knows.
        target_compile_options(${target} PRIVATE
            -Wno-mismatched-new-delete -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread -Wno-restrict
            -Wno-maybe-uninitialized
        )
    endif()
    if(WSIO_WARNINGS AND CMAKE_CXX_COMPILER_ID MATCHES "Clang")
        # g++ leaves these out of -Wconversion in C++: both compilers are to want the same.
        target_compile_options(${target} PRIVATE -Wno-sign-conversion)
    endif()
    # Without this option GCC's precompiled headers make ccache miss.
    if(CMAKE_CXX_COMPILER_LAUNCHER MATCHES "ccache" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        target_compile_options(${target} PRIVATE -fpch-preprocess)
    endif()
endfunction()

# Fails when a file that fits the pattern is not among those given: a test that nobody lists would silently not run.
function(wsio_check_listed pattern)
    file(GLOB_RECURSE found RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} ${pattern})
    list(REMOVE_ITEM found ${ARGN})
    if(WSIO_WARNINGS AND found)
        message(FATAL_ERROR "In no list of ${CMAKE_CURRENT_SOURCE_DIR}/CMakeLists.txt: ${found}")
    endif()
endfunction()

# Registers a test that a script runs. It passes when the script exits 0; a line "N passed, M failed" in its output is
# counted by script/test.
#
#     wsio_add_script_test(NAME name COMMAND command [argument…] [TIMEOUT seconds] [ENVIRONMENT variable=value…] [ALONE])
#
# ALONE is for what measures time, or makes use of all cores itself: nothing else runs beside it.
#
# The script finds in its environment
#   WSIO_BIN_DIR     the folder of the built example programs (WSIO_BIN_DIR/echo, …)
#   WSIO_SOURCE_DIR  the root of the repository
#   WSIO_BUILD_DIR   the root of the build folder
#   WSIO_SANITIZED   not empty if the programs are built with sanitizers: they take more memory and time
function(wsio_add_script_test)
    cmake_parse_arguments(PARSE_ARGV 0 test "ALONE" "NAME;TIMEOUT" "COMMAND;ENVIRONMENT")
    if(NOT test_TIMEOUT)
        set(test_TIMEOUT 300)
    endif()
    string(REGEX MATCH "-fsanitize=[^ ]+" sanitized "${CMAKE_CXX_FLAGS_DEBUG}")
    if(sanitized)
        math(EXPR test_TIMEOUT "${test_TIMEOUT} * 4")
    endif()
    add_test(NAME ${test_NAME} COMMAND ${test_COMMAND} WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
    set_tests_properties(${test_NAME} PROPERTIES
        TIMEOUT ${test_TIMEOUT}
        RUN_SERIAL ${test_ALONE}
        ENVIRONMENT "WSIO_BIN_DIR=${PROJECT_BINARY_DIR}/examples;WSIO_SOURCE_DIR=${PROJECT_SOURCE_DIR};WSIO_BUILD_DIR=${PROJECT_BINARY_DIR};WSIO_SANITIZED=${sanitized};${test_ENVIRONMENT}"
    )
endfunction()
