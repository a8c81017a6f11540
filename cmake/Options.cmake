# Flags that every target shares. Presets (CMakePresets.json) only set these options.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

option(STATEWAY_TESTS "Build tests" ON)
option(STATEWAY_FUZZ "Build the libFuzzer targets" OFF)
set(STATEWAY_SANITIZE "" CACHE STRING "Value of -fsanitize=, e.g. address,undefined or thread")

add_compile_options(-Wall -Wextra -Wpedantic -Wno-missing-designated-field-initializers
                    -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wimplicit-fallthrough
                    -Werror=return-type -Werror=unused-result -Werror=switch -fno-omit-frame-pointer)
add_link_options(--ld-path=/usr/bin/ld.lld-19)

if(STATEWAY_SANITIZE)
  add_compile_options(-fsanitize=${STATEWAY_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${STATEWAY_SANITIZE})
endif()
if(STATEWAY_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  include(CheckIPOSupported)
  check_ipo_supported(RESULT STATEWAY_LTO OUTPUT _ignored LANGUAGES CXX)
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ${STATEWAY_LTO})
endif()
