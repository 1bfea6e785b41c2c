#include "index/index_file.h"

#include <fmt/format.h>

#include "amae/error.h"
#include "index/store.h"

namespace amae {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

/// Tensors one behind the other at the payload's beginning, listed in the description.
void put_tensors(SealedWriter& writer, json& list, const TensorDict& tensors) {
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor plain = tensor.contiguous();
    list.push_back({{"name", name},
                    {"type", c10::toString(plain.scalar_type())},
                    {"shape", plain.sizes().vec()},
                    {"offset", writer.payload_bytes()}});
    writer.write(plain.const_data_ptr(), plain.nbytes());
  }
}

TensorDict read_tensors(const SealedFile& file) {
  TensorDict tensors;
  for (const json& entry : file.description().at("tensors")) {
    const std::string type = entry.at("type");
    const at::ScalarType scalar = type == "Long" ? at::kLong : type == "Double" ? at::kDouble : at::kFloat;
    const uint64_t offset = entry.at("offset");
    uint64_t bytes = c10::elementSize(scalar);
    for (const int64_t size : entry.at("shape").get<std::vector<int64_t>>()) {
      if (size < 0 || __builtin_mul_overflow(bytes, static_cast<uint64_t>(size), &bytes))
        file.refuse("got a tensor whose size cannot be counted", entry.at("name"));
    }
    if (offset > file.payload_bytes() || bytes > file.payload_bytes() - offset)
      file.refuse("got a tensor that leaves the file", entry.at("name"));
    at::Tensor tensor = at::empty(entry.at("shape").get<std::vector<int64_t>>(), scalar);
    file.read(offset, tensor.mutable_data_ptr(), tensor.nbytes());
    tensors[entry.at("name")] = tensor;
  }
  return tensors;
}

at::Tensor long_tensor(const std::vector<int64_t>& values) { return at::tensor(values, at::kLong); }

std::vector<int64_t> long_values(const TensorDict& tensors, const std::string& name, const SealedFile& file) {
  const auto found = tensors.find(name);
  if (found == tensors.end() || found->second.scalar_type() != at::kLong || found->second.dim() != 1)
    file.refuse("got no such list of numbers", name);
  const int64_t* values = found->second.const_data_ptr<int64_t>();
  return {values, values + found->second.numel()};
}

}  // namespace

std::unique_ptr<SealedFile> open_index_file(const fs::path& folder) {
  const fs::path path = folder / kStoreIndexFile;
  std::error_code ignored;
  if (!fs::exists(path, ignored)) {
    throw InputError("INDEX", path.string(), "",
                     fmt::format("got no index of this store, expected one; run amae index build {}", folder.string()));
  }
  return std::make_unique<SealedFile>(path, kIndexFormat, "INDEX");
}

IndexParts read_index_parts(const SealedFile& file) {
  try {
    const json& told = file.description();
    TensorDict tensors = read_tensors(file), post;
    IndexParts parts;
    parts.ids = long_values(tensors, "ids", file);
    parts.keys = long_values(tensors, "keys", file);
    for (const auto& [name, tensor] : tensors) {
      if (name.starts_with("post.")) post[name.substr(5)] = tensor;
    }
    if (!post.empty()) parts.post = PostProcess::from_state(post);
    parts.metric = told.at("metric") == "l2" ? VectorMetric::l2 : VectorMetric::inner_product;
    parts.next_id = told.at("next_id");
    parts.effort = told.at("effort");
    parts.faiss_offset = told.at("faiss").at("offset");
    parts.faiss_bytes = told.at("faiss").at("bytes");
    if (parts.next_id < 0 || parts.ids.size() != parts.keys.size() || parts.faiss_offset > file.payload_bytes() ||
        parts.faiss_bytes != file.payload_bytes() - parts.faiss_offset)
      file.refuse("got pieces that do not fit each other");
    return parts;
  } catch (const json::exception& error) {
    file.refuse(std::string("cannot be read: ") + error.what());
  }
}

void write_index_file(const fs::path& folder, const IndexParts& parts, const FaissIndex& index, json told) {
  SealedWriter writer(folder / kStoreIndexFile, kIndexFormat);
  json list = json::array();
  TensorDict tensors{{"ids", long_tensor(parts.ids)}, {"keys", long_tensor(parts.keys)}};
  for (const auto& [name, tensor] : parts.post.state()) tensors["post." + name] = tensor;
  put_tensors(writer, list, tensors);
  // Vectors that begin on a cache line: a mapped index is searched where it lies.
  constexpr uint64_t kLine = 64;
  const uint64_t vectors_at = writer.payload_bytes() + index.offset_of_vectors();
  const std::string padding((kLine - vectors_at % kLine) % kLine, '\0');
  writer.write(padding.data(), padding.size());
  const uint64_t offset = writer.payload_bytes();
  index.write([&](const void* data, size_t count) { writer.write(data, count); });
  told["tensors"] = std::move(list);
  told["faiss"] = {{"offset", offset}, {"bytes", writer.payload_bytes() - offset}};
  told["next_id"] = parts.next_id;
  told["effort"] = parts.effort;
  writer.commit(std::move(told));
}

}  // namespace amae
