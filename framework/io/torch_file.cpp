#include "io/torch_file.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/text.h"
#include "io/state_dict.h"

namespace amae {
namespace {

static_assert(std::endian::native == std::endian::little, "tensor bytes are little-endian in the file and in memory");

/// What the first bytes, and those of a tar archive's mark, say.
enum class TorchFormat { other, zip, pickle, tar };

TorchFormat torch_format(const RegularFile& file) {
  std::array<char, 262> start{};
  const std::string_view bytes(start.data(), file.read_some(0, start.data(), start.size()));
  if (bytes.starts_with("PK\x03\x04") || bytes.starts_with("PK\x05\x06")) return TorchFormat::zip;
  // The magic number 0x1950a86a20f9469cfc6c, pickled.
  if (bytes.starts_with("\x80\x02\x8a\x0al\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19")) return TorchFormat::pickle;
  if (bytes.size() == start.size() && bytes.substr(257, 5) == "ustar") return TorchFormat::tar;
  return TorchFormat::other;
}

at::ScalarType scalar_type(ElementType type) {
  switch (type) {
    case ElementType::float64:
      return at::kDouble;
    case ElementType::float32:
      return at::kFloat;
    case ElementType::float16:
      return at::kHalf;
    case ElementType::bfloat16:
      return at::kBFloat16;
    case ElementType::int64:
      return at::kLong;
    case ElementType::int32:
      return at::kInt;
    case ElementType::int16:
      return at::kShort;
    case ElementType::int8:
      return at::kChar;
    case ElementType::uint8:
      return at::kByte;
    case ElementType::boolean:
      return at::kBool;
  }
  return at::kFloat;
}

}  // namespace

bool looks_like_torch_file(const std::filesystem::path& path) {
  return torch_format(RegularFile(path, "TORCH")) != TorchFormat::other;
}

TensorDict read_torch_file(const std::filesystem::path& path) {
  {
    const RegularFile file(path, "TORCH");
    const TorchFormat format = torch_format(file);
    if (format == TorchFormat::pickle || format == TorchFormat::tar) {
      file.refuse(
          "got the format that torch.save wrote before PyTorch 1.6, expected its zip format; load it with a PyTorch "
          "that "
          "you trust it to, and save it again with torch.save(state_dict, FILE)");
    }
    if (format == TorchFormat::other) file.refuse("got something else, expected a file of torch.save (a zip archive)");
  }
  const ZipReader archive(path, "TORCH");
  std::string prefix;
  const StateDict state = read_state_dict(archive, prefix);

  std::map<std::string, std::vector<const StoredTensor*>> by_storage;
  for (const StoredTensor& tensor : state.tensors) by_storage[tensor.storage].push_back(&tensor);
  TensorDict tensors;
  for (const auto& [key, views] : by_storage) {
    const ZipEntry& entry = *archive.find(prefix + "data/" + key);
    const at::Tensor bytes = at::empty({static_cast<int64_t>(entry.size)}, at::kByte);
    archive.read(entry, bytes.mutable_data_ptr());
    const auto flags = std::find_if(views.begin(), views.end(),
                                    [](const StoredTensor* view) { return view->type == ElementType::boolean; });
    if (flags != views.end()) {
      const auto* first = static_cast<const unsigned char*>(bytes.const_data_ptr());
      const auto* bad = std::find_if(first, first + bytes.nbytes(), [](unsigned char b) { return b > 1; });
      if (bad != first + bytes.nbytes())  // undefined behaviour as a C++ bool
        archive.file().refuse(fmt::format("got byte {} for a bool, expected 0 or 1", *bad), printable((*flags)->name));
    }
    for (const StoredTensor* view : views) {
      const at::ScalarType type = scalar_type(view->type);
      at::Tensor own = at::empty(view->shape, type);
      if (own.numel() > 0) own.copy_(bytes.view(type).as_strided(view->shape, view->strides, view->offset));
      tensors[view->name] = own;
    }
  }
  archive.file().check_unchanged();
  if (state.ignored > 0)
    log::info("{}: left out what is no tensor: {} of its entries", archive.file().where(), state.ignored);
  return tensors;
}

}  // namespace amae
