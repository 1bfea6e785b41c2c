#include "plugin/plugin_file.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "amae/plugin.h"
#include "base/text.h"

namespace amae {
namespace fs = std::filesystem;
namespace {

#if defined(__x86_64__)
constexpr auto kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr auto kMachine = EM_AARCH64;
#else
#error "name the ELF machine number of this architecture here"
#endif

constexpr uint64_t kMostNotes = 64 << 10;  // bytes; a library's notes take some hundred

class ElfFile {
 public:
  explicit ElfFile(fs::path path) : path_(std::move(path)) {}

  /// Why it is no whole library of this machine, or empty.
  std::string problem() {
    std::error_code error;
    if (!fs::is_regular_file(path_, error)) return "is not a regular file";
    file_.open(path_, std::ios::binary);  // not before: opening a pipe would wait for ever
    if (!file_) return "cannot be read";
    file_.read(reinterpret_cast<char*>(&header_), sizeof header_);
    if (file_.gcount() == 0) return "is an empty file";
    if (file_.gcount() < static_cast<std::streamsize>(sizeof header_) ||
        std::memcmp(header_.e_ident, ELFMAG, SELFMAG) != 0) {
      return "is not an ELF library";
    }
    if (header_.e_ident[EI_CLASS] != ELFCLASS64 || header_.e_machine != kMachine)
      return "is a library for another processor";
    if (header_.e_type != ET_DYN) return "is not a shared library";
    // Section headers come last in a file but may be stripped, so each loaded segment is looked at too.
    uint64_t expected = std::max(header_.e_shoff + uint64_t{header_.e_shnum} * header_.e_shentsize,
                                 header_.e_phoff + uint64_t{header_.e_phnum} * sizeof(Elf64_Phdr));
    segments_.resize(header_.e_phnum);
    read_at(header_.e_phoff, segments_.data(), segments_.size() * sizeof(Elf64_Phdr));
    for (const Elf64_Phdr& segment : segments_) {
      if (segment.p_type == PT_LOAD) expected = std::max(expected, segment.p_offset + segment.p_filesz);
    }
    const uint64_t size = fs::file_size(path_, error);
    if (error || size < expected) return fmt::format("is cut off: {} bytes present, {} expected", size, expected);
    return {};
  }

  /// amae's note. Needs problem() to have found none.
  std::optional<amae_plugin_note> note() {
    for (const Elf64_Phdr& segment : segments_) {
      if (segment.p_type != PT_NOTE || segment.p_filesz > kMostNotes) continue;
      std::string bytes(segment.p_filesz, '\0');
      if (!read_at(segment.p_offset, bytes.data(), bytes.size())) continue;
      if (auto found = find_note(bytes, segment.p_align == 8 ? 8 : 4)) return found;
    }
    return {};
  }

 private:
  bool read_at(uint64_t offset, void* to, size_t count) {
    file_.clear();
    file_.seekg(static_cast<std::streamoff>(offset));
    file_.read(static_cast<char*>(to), static_cast<std::streamsize>(count));
    return file_.gcount() == static_cast<std::streamsize>(count);
  }

  /// Notes stand one behind the other: sizes, owner and content, each padded to `alignment`.
  static std::optional<amae_plugin_note> find_note(std::string_view bytes, uint64_t alignment) {
    const auto padded = [&](uint64_t size) { return (size + alignment - 1) / alignment * alignment; };
    Elf64_Nhdr sizes{};
    while (bytes.size() >= sizeof sizes) {
      std::memcpy(&sizes, bytes.data(), sizeof sizes);
      const uint64_t whole = sizeof sizes + padded(sizes.n_namesz) + padded(sizes.n_descsz);
      const std::string_view owner = bytes.substr(sizeof sizes, sizes.n_namesz);
      if (owner == std::string_view("amae\0", 5) && sizes.n_type == 1) {
        amae_plugin_note note{};  // one of another version may be shorter: what it lacks stays zero
        std::memcpy(&note, bytes.data(), std::min({sizeof note, bytes.size(), static_cast<size_t>(whole)}));
        return note;
      }
      if (whole > bytes.size()) break;
      bytes.remove_prefix(whole);
    }
    return {};
  }

  fs::path path_;
  std::ifstream file_;
  Elf64_Ehdr header_{};
  std::vector<Elf64_Phdr> segments_;
};

template <size_t Size>
std::string text_of(const char (&text)[Size]) {  // NOLINT(*-avoid-c-arrays): as it lies in the file
  return printable(std::string(text, ::strnlen(text, Size)));
}

std::string stamp_problem(const amae_plugin_note& note) {
  std::vector<std::string> differences;
  const auto compare = [&](const char* what, const std::string& theirs, const std::string& ours) {
    if (theirs != ours) differences.push_back(fmt::format("{} is {}, expected {}", what, theirs, ours));
  };
  compare("API version", std::to_string(note.api_version), std::to_string(AMAE_API_VERSION));
  if (differences.empty())  // what another version wrote behind its number may mean other things
    compare("contract layout", fmt::format("{:08x}", note.layout), fmt::format("{:08x}", contract_layout()));
  compare("LibTorch", text_of(note.libtorch), AMAE_LIBTORCH);
  compare("C++ ABI", text_of(note.cxx_abi), AMAE_CXX_ABI);
  if (differences.empty()) return {};
  return fmt::format("was built for another amae, by {}: {}; rebuild it", text_of(note.compiler),
                     join(differences, ", "));
}

}  // namespace

std::string plugin_file_problem(const fs::path& path) {
  ElfFile file(path);
  if (std::string problem = file.problem(); !problem.empty()) return problem;
  const auto note = file.note();
  if (!note) return "is not an amae plugin (it has no note of amae's; one from before API version 6 must be rebuilt)";
  return stamp_problem(*note);
}

}  // namespace amae
