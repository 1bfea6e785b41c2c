#include "serve/clip_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

#include "base/memory_file.h"
#include "base/text.h"
#include "http/bad_request.h"
#include "io/signal_file.h"

namespace amae::serve {
namespace {

/// The error with the upload's name where it says the path of a file in memory.
InputError renamed(const InputError& error, const std::string& path, const std::string& name) {
  std::vector<Problem> problems = error.problems();
  for (Problem& problem : problems) {
    for (std::string* text : {&problem.where, &problem.message}) {
      for (size_t at = text->find(path); at != std::string::npos; at = text->find(path, at + name.size()))
        text->replace(at, path.size(), name);
    }
  }
  return InputError(std::move(problems));
}

}  // namespace

Clip read_clip(const http::ClipRequest& request, uint64_t most_bytes) {
  const MemoryFile bytes(request.bytes);
  std::optional<MemoryFile> second;
  if (!request.second.empty()) second.emplace(request.second);
  try {
    const SignalFile file = second ? SignalFile(bytes.path(), second->path()) : SignalFile(bytes.path());
    std::string wanted = request.format;
    std::transform(wanted.begin(), wanted.end(), wanted.begin(), [](unsigned char c) { return std::toupper(c); });
    if (!wanted.empty() && wanted != file.format()) {
      throw http::BadRequest("/format", fmt::format("got {} content, expected {} as told", file.format(), wanted));
    }
    const auto& shape = file.spec().shape;
    const auto decoded = static_cast<uint64_t>(shape[0]) * static_cast<uint64_t>(shape[1]) * sizeof(float);
    if (decoded > most_bytes) {
      throw InputError(
          "AUDIO", request.name, "",
          fmt::format("got {} samples, {} once decoded, expected at most {}", shape[1],
                      bytes_text(static_cast<double>(decoded)), bytes_text(static_cast<double>(most_bytes))));
    }
    return {file.read(), file.format(), request.name};
  } catch (const http::BadRequest&) {
    throw;
  } catch (const InputError& error) {
    throw renamed(second ? renamed(error, second->path(), request.name) : error, bytes.path(), request.name);
  }
}

}  // namespace amae::serve
