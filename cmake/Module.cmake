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
    stateway_unit_test(${name} sw_${name} "${arg_LIBRARIES}" ${tests})
  endif()
endfunction()

# stateway_folder(NAME FOLDER LIBRARIES x y … TESTS z …)
#   A folder inside of module NAME's, of the same library, with packages of its own. Its *_test.cc become the
#   test `NAME_FOLDER_test`, which links the libraries TESTS too.
function(stateway_folder name folder)
  cmake_parse_arguments(arg "" "" "LIBRARIES;TESTS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.cc)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  target_sources(sw_${name} PRIVATE ${sources})
  target_link_libraries(sw_${name} PRIVATE ${arg_LIBRARIES})
  if(STATEWAY_TESTS AND tests)
    stateway_unit_test(${name}_${folder} sw_${name} "${arg_LIBRARIES};${arg_TESTS}" ${tests})
  endif()
endfunction()

function(stateway_unit_test name library packages)
  add_executable(${name}_test ${ARGN})
  target_link_libraries(${name}_test PRIVATE ${library} ${packages} GTest::gtest_main GTest::gmock)
  add_test(NAME ${name} COMMAND ${name}_test)
  set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 300)
endfunction()
