# amae_embed(TARGET NAMESPACE NAME BASE FOLDER FILES …): files become part of the target, byte for byte and of any size.
# A generated source defines `std::span<const EmbeddedFile> amae::NAME::files()` (base/embedded.h): names relative to
# FOLDER, in the order given. A changed file is embedded anew by the next build. To be called where TARGET is made.
#
# Run as a script (cmake -P), this file writes that source from OUT, NAMESPACE, BASE and FILES.
function(amae_embed target)
  cmake_parse_arguments(arg "" "NAMESPACE;BASE" "FILES" ${ARGN})
  cmake_path(ABSOLUTE_PATH arg_BASE NORMALIZE)
  set(script ${CMAKE_CURRENT_FUNCTION_LIST_FILE})
  set(source ${CMAKE_CURRENT_BINARY_DIR}/embedded/${arg_NAMESPACE}.cpp)
  add_custom_command(
    OUTPUT ${source}
    COMMAND ${CMAKE_COMMAND} "-DOUT=${source}" -DNAMESPACE=${arg_NAMESPACE} "-DBASE=${arg_BASE}" "-DFILES=${arg_FILES}"
            -P ${script}
    DEPENDS ${arg_FILES} ${script}
    COMMENT "Embedding ${arg_NAMESPACE}"
    VERBATIM)
  set_source_files_properties(${source} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON SKIP_PRECOMPILE_HEADERS ON)
  target_sources(${target} PRIVATE ${source})
endfunction()

if(NOT CMAKE_SCRIPT_MODE_FILE)
  return()
endif()

set(arrays "")
set(entries "")
set(number 0)
foreach(file ${FILES})
  cmake_path(RELATIVE_PATH file BASE_DIRECTORY ${BASE} OUTPUT_VARIABLE name)
  file(READ ${file} bytes HEX)
  string(LENGTH "${bytes}" digits)
  math(EXPR size "${digits} / 2")
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  # An array, because compilers limit string literals. The zero lets a file be empty.
  string(APPEND arrays "const unsigned char bytes_${number}[] = {${bytes}0};\n")
  string(APPEND entries "      {\"${name}\", text(bytes_${number}, ${size})},\n")
  math(EXPR number "${number} + 1")
endforeach()
file(WRITE ${OUT} "// Written by cmake/AmaeEmbed.cmake.
#include <array>
#include <cstddef>
#include <span>

#include \"base/embedded.h\"

namespace amae::${NAMESPACE} {
namespace {

${arrays}
std::string_view text(const unsigned char* bytes, size_t size) { return {reinterpret_cast<const char*>(bytes), size}; }

}  // namespace

std::span<const EmbeddedFile> files();
std::span<const EmbeddedFile> files() {
  static const std::array<EmbeddedFile, ${number}> all = {{
${entries}  }};
  return all;
}

}  // namespace amae::${NAMESPACE}
")
