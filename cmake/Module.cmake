# stateway_module(NAME DEPENDS a b … LIBRARIES x y …)
#   One library per folder of src/: every *.cc of the folder but *_test.cc, which become the test
#   `NAME_test`. DEPENDS names other modules, LIBRARIES packages (linked privately: their headers stay
#   inside the .cc files).
function(stateway_module name)
  cmake_parse_arguments(arg "" "" "DEPENDS;LIBRARIES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cc)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")

  add_library(sw_${name} STATIC ${sources})
  target_include_directories(sw_${name} PUBLIC "${CMAKE_SOURCE_DIR}/src")
  list(TRANSFORM arg_DEPENDS PREPEND sw_)
  target_link_libraries(sw_${name} PUBLIC ${arg_DEPENDS} PRIVATE ${arg_LIBRARIES})

  if(STATEWAY_TESTS AND tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE sw_${name} ${arg_LIBRARIES} GTest::gtest_main GTest::gmock)
    add_test(NAME ${name} COMMAND ${name}_test)
    set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 300)
  endif()
endfunction()
