# One folder, one target. These helpers give every target of ours the same warnings and sanitizers.
include(AmaeAddPlugin)

function(amae_compile_rules target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
                                           $<$<BOOL:${AMAE_WERROR}>:-Werror>)
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)  # false alarms of GCC 12 on string concatenation (GCC bug 105329, 105651)
    target_compile_options(${target} PRIVATE -Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread -Wno-array-bounds)
  endif()
  if(AMAE_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=address,undefined -fno-omit-frame-pointer)
    target_link_options(${target} PRIVATE -fsanitize=address,undefined)
  endif()
endfunction()

# Several files go to one call of the compiler: half the time of a clean build, nearly all of it spent on the same headers.
# A file's own names must then be unlike those of the others in its folder. -DAMAE_UNITY=OFF: for work on single files.
function(amae_unite_sources target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${AMAE_UNITY} UNITY_BUILD_BATCH_SIZE 8)
endfunction()

# amae_add_pch(NAME LIBRARIES … [HEADERS …]): LibTorch's headers, precompiled once for all targets with the same flags;
# they cost 10-20 s a file otherwise. Use it with target_precompile_headers(TARGET REUSE_FROM NAME). Not <torch/torch.h>:
# GCC instantiates its layers' templates in every file, 4 s each; who uses a layer includes that one.
function(amae_add_pch name)
  cmake_parse_arguments(arg "" "" "LIBRARIES;HEADERS" ${ARGN})
  file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp "")
  add_library(${name} OBJECT ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp)
  target_include_directories(${name} SYSTEM PRIVATE ${TORCH_INCLUDE_DIRS})
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES})
  amae_compile_rules(${name})
  target_precompile_headers(${name} PRIVATE <torch/types.h> <torch/utils.h> <torch/nn/module.h> ${arg_HEADERS})
endfunction()

# Programs use the header too, so they are compiled as libraries are (-fPIC instead of -fPIE).
function(amae_program_uses_pch target pch)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${target} PRIVATE -fPIC)
  target_precompile_headers(${target} REUSE_FROM ${pch})
endfunction()

# amae_add_room(NAME [TORCH]): the object library of one folder of framework/, all .cpp files in it.
function(amae_add_room name)
  cmake_parse_arguments(arg "TORCH" "" "" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp)
  if(NOT sources)
    return()
  endif()
  add_library(amae_${name} OBJECT ${sources})
  add_library(amae::${name} ALIAS amae_${name})
  target_include_directories(amae_${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/include)
  target_link_libraries(amae_${name} PRIVATE ${amae_room_libraries})
  amae_compile_rules(amae_${name})
  if(arg_TORCH)
    target_include_directories(amae_${name} SYSTEM PRIVATE ${TORCH_INCLUDE_DIRS})
    target_link_libraries(amae_${name} PRIVATE ${TORCH_LIBRARIES})
    target_precompile_headers(amae_${name} REUSE_FROM amae_core_pch)
    amae_unite_sources(amae_${name})
  endif()
  target_sources(amae_core PRIVATE $<TARGET_OBJECTS:amae_${name}>)
endfunction()

function(amae_plugin_rules target)
  set_target_properties(${target} PROPERTIES CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  target_link_libraries(${target} PRIVATE amae::amae fmt::fmt)
  amae_compile_rules(${target})
  target_precompile_headers(${target} REUSE_FROM amae_plugin_pch)
endfunction()

# What amae_add_plugin does on top for the plugins of this tree. All but plugin.cpp is compiled once, for the library and
# for the tests, which reach it without a loader. What the plugins of a folder share stands in ../common and is linked
# to each.
function(amae_own_plugin name folder)
  set(libraries ${ARGN})
  set(target amae_plugin_${name})
  get_target_property(code ${target} SOURCES)
  if(plugin.cpp IN_LIST code)
    list(REMOVE_ITEM code plugin.cpp)
    set_property(TARGET ${target} PROPERTY SOURCES plugin.cpp)
    if(code)
      add_library(${target}_code OBJECT ${code})
      amae_plugin_rules(${target}_code)
      amae_unite_sources(${target}_code)
      target_link_libraries(${target}_code PRIVATE ${libraries})
      set_property(GLOBAL APPEND PROPERTY AMAE_PLUGIN_LIBRARIES ${libraries})
      target_sources(${target} PRIVATE $<TARGET_OBJECTS:${target}_code>)
      set_property(GLOBAL APPEND PROPERTY AMAE_PLUGIN_CODE $<TARGET_OBJECTS:${target}_code>)
    endif()
  endif()
  amae_plugin_rules(${target})
  file(GLOB common CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/../common/*.cpp)
  if(common)
    if(NOT TARGET amae_${folder}_common)
      add_library(amae_${folder}_common STATIC ${common})
      amae_plugin_rules(amae_${folder}_common)
      amae_unite_sources(amae_${folder}_common)
      set_property(GLOBAL APPEND PROPERTY AMAE_PLUGIN_COMMON amae_${folder}_common)
    endif()
    target_link_libraries(${target} PRIVATE amae_${folder}_common)
  endif()
  add_dependencies(amae_plugins ${target})
  set_property(GLOBAL APPEND PROPERTY AMAE_PLUGIN_TARGETS ${target})
endfunction()

# amae_skip_plugin(NAME WHY): instead of amae_add_plugin where what the plugin needs is not there; its tests, NAME*_test.cpp,
# are left out too.
function(amae_skip_plugin name why)
  message(STATUS "Plugin ${name} is left out: ${why}")
  set_property(GLOBAL APPEND PROPERTY AMAE_SKIPPED_PLUGINS ${name})
endfunction()

# amae_add_test(NAME SOURCES … [LABELS …] [TORCH]): one Catch2 program, each *_test.cpp a ctest entry "NAME: FILE". An
# entry for each case would load LibTorch each time: 0.4 s, several times what a case takes.
function(amae_add_test name)
  cmake_parse_arguments(arg "TORCH" "" "SOURCES;LABELS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${amae_test_libraries})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/plugins)
  target_compile_definitions(${name} PRIVATE AMAE_TEST_DATA="${CMAKE_SOURCE_DIR}/tests/vectors"
                                             AMAE_BUILD_DIR="${CMAKE_BINARY_DIR}" AMAE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  amae_compile_rules(${name})
  target_compile_options(${name} PRIVATE ${amae_test_optimization})
  if(arg_TORCH)
    amae_program_uses_pch(${name} amae_test_pch)
    amae_unite_sources(${name})
  endif()
  foreach(source ${arg_SOURCES})
    cmake_path(GET source STEM stem)
    if(stem MATCHES "_test$")
      add_test(NAME "${name}: ${stem}" COMMAND ${name} -\# "[#${stem}]")
      set_tests_properties("${name}: ${stem}" PROPERTIES LABELS "${arg_LABELS}" SKIP_RETURN_CODE 4 TIMEOUT 300)
    endif()
  endforeach()
endfunction()
