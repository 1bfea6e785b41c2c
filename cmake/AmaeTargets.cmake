# One folder, one target. These helpers give every target of ours the same warnings and sanitizers.
include(GNUInstallDirs)

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

# amae_add_pch(NAME LIBRARIES … [HEADERS …]): LibTorch's headers, precompiled once for all targets with the same flags;
# they cost 10-20 s a file otherwise. Use it with target_precompile_headers(TARGET REUSE_FROM NAME).
function(amae_add_pch name)
  cmake_parse_arguments(arg "" "" "LIBRARIES;HEADERS" ${ARGN})
  file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp "")
  add_library(${name} OBJECT ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp)
  target_include_directories(${name} SYSTEM PRIVATE ${TORCH_INCLUDE_DIRS})
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES})
  amae_compile_rules(${name})
  target_precompile_headers(${name} PRIVATE <torch/torch.h> ${arg_HEADERS})
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
  endif()
  target_sources(amae_core PRIVATE $<TARGET_OBJECTS:amae_${name}>)
endfunction()

# amae_add_plugin(NAME KIND model|dataset|transform SOURCES …): a loadable library under build/plugins/KINDS/.
# The plain code is also an object library NAME_code, so that tests reach it without a loader.
function(amae_add_plugin name)
  cmake_parse_arguments(arg "" "KIND" "SOURCES" ${ARGN})
  set(folder_model models)
  set(folder_dataset data)
  set(folder_transform transforms)
  if(NOT DEFINED folder_${arg_KIND})
    message(FATAL_ERROR "amae_add_plugin(${name}): KIND is '${arg_KIND}', expected model, dataset or transform")
  endif()
  add_library(amae_plugin_${name} MODULE ${arg_SOURCES})
  set_target_properties(amae_plugin_${name} PROPERTIES
    PREFIX "" OUTPUT_NAME ${name} CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/plugins/${folder_${arg_KIND}})
  target_link_libraries(amae_plugin_${name} PRIVATE amae::amae fmt::fmt)
  amae_compile_rules(amae_plugin_${name})
  target_precompile_headers(amae_plugin_${name} REUSE_FROM amae_plugin_pch)
  add_dependencies(amae_plugins amae_plugin_${name})
  install(TARGETS amae_plugin_${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/amae/plugins/${folder_${arg_KIND}})

  set(code ${arg_SOURCES})
  list(REMOVE_ITEM code plugin.cpp)
  if(code)
    list(TRANSFORM code PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
    set_property(GLOBAL APPEND PROPERTY AMAE_PLUGIN_CODE ${code})
  endif()
endfunction()

# amae_add_test(NAME SOURCES … [LABELS …] [TORCH]): one Catch2 program, each case a ctest entry.
function(amae_add_test name)
  cmake_parse_arguments(arg "TORCH" "" "SOURCES;LABELS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${amae_test_libraries})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/plugins)
  target_compile_definitions(${name} PRIVATE AMAE_TEST_DATA="${CMAKE_SOURCE_DIR}/tests/vectors"
                                             AMAE_BUILD_DIR="${CMAKE_BINARY_DIR}" AMAE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  amae_compile_rules(${name})
  if(arg_TORCH)
    amae_program_uses_pch(${name} amae_test_pch)
  endif()
  catch_discover_tests(${name} TEST_PREFIX "${name}: " DISCOVERY_MODE PRE_TEST
                       PROPERTIES LABELS "${arg_LABELS}" SKIP_RETURN_CODE 4)
endfunction()
