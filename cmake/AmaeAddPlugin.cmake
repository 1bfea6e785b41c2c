# For plugins, in this tree and outside: find_package(amae) brings these functions too.

# amae_add_plugin(NAME KIND model|dataset|transform SOURCES … [LIBRARIES …]): the loadable library
# plugins/KINDS/NAME.so of the build folder (target amae_plugin_NAME). It is installed where the program of the same
# prefix looks. Options with which `amae plugin check` tries the components stand in examples.yaml beside the sources,
# and files that these name in examples/: they go with the library, as NAME.examples.yaml and NAME.examples/.
function(amae_add_plugin name)
  cmake_parse_arguments(arg "" "KIND" "SOURCES;LIBRARIES" ${ARGN})
  set(folder_model models)
  set(folder_dataset data)
  set(folder_transform transforms)
  if(NOT DEFINED folder_${arg_KIND})
    message(FATAL_ERROR "amae_add_plugin(${name}): KIND is '${arg_KIND}', expected model, dataset or transform")
  endif()
  include(GNUInstallDirs)
  set(target amae_plugin_${name})
  set(built ${CMAKE_BINARY_DIR}/plugins/${folder_${arg_KIND}})
  set(installed ${CMAKE_INSTALL_LIBDIR}/amae/plugins/${folder_${arg_KIND}})

  add_library(${target} MODULE ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE amae::amae ${arg_LIBRARIES})
  # Two plugins may use the same names inside: a plugin exports its descriptor and nothing else.
  set_target_properties(${target} PROPERTIES
    PREFIX "" OUTPUT_NAME ${name} LIBRARY_OUTPUT_DIRECTORY ${built} INSTALL_RPATH "$ORIGIN/../../.."
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    target_compile_options(${target} PRIVATE -O2)  # who chose nothing did not choose a slow plugin
  endif()
  install(TARGETS ${target} LIBRARY DESTINATION ${installed})

  if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/examples.yaml)
    file(GLOB_RECURSE examples CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} examples/*)
    foreach(file examples.yaml ${examples})
      configure_file(${file} ${built}/${name}.${file} COPYONLY)
      cmake_path(GET file PARENT_PATH parent)
      cmake_path(GET file FILENAME filename)
      if(parent)
        install(FILES ${file} DESTINATION ${installed}/${name}.${parent})
      else()
        install(FILES ${file} DESTINATION ${installed} RENAME ${name}.${filename})
      endif()
    endforeach()
  endif()

  if(COMMAND amae_own_plugin)
    amae_own_plugin(${name} ${folder_${arg_KIND}} ${arg_LIBRARIES})
  endif()
endfunction()

# amae_test_plugin(NAME CONFIG FILE): two ctest entries. NAME_check is `amae plugin check` at its hardest; NAME_run is
# `amae run FILE`, in a folder of the build.
function(amae_test_plugin name)
  cmake_parse_arguments(arg "" "CONFIG" "" ${ARGN})
  set(amae $<TARGET_FILE:amae::program>)
  set(library $<TARGET_FILE:amae_plugin_${name}>)
  cmake_path(ABSOLUTE_PATH arg_CONFIG NORMALIZE)
  set(run ${CMAKE_CURRENT_BINARY_DIR}/${name}_run)
  add_test(NAME ${name}_check COMMAND ${amae} plugin check ${library} --level 10)
  add_test(NAME ${name}_clean COMMAND ${CMAKE_COMMAND} -E rm -rf ${run})  # a run wants a new folder
  add_test(NAME ${name}_run COMMAND ${amae} run ${arg_CONFIG} --plugin-path ${library} --out ${run})
  # A copy where amae always looks would be a second plugin with the same key.
  set_tests_properties(${name}_check ${name}_run PROPERTIES
    ENVIRONMENT "AMAE_PLUGIN_PATH=;XDG_DATA_HOME=${CMAKE_CURRENT_BINARY_DIR}")
  set_tests_properties(${name}_clean PROPERTIES FIXTURES_SETUP ${name}_folder)
  set_tests_properties(${name}_run PROPERTIES FIXTURES_REQUIRED ${name}_folder)
endfunction()
