// Weights from elsewhere: files of several formats, names of other projects, shapes that nearly fit.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "amae/encoder.h"
#include "amae/transform.h"  // TensorDict

namespace amae {

/// How foreign names become ours, in order; the first rule that matches the whole name decides. A name that no rule
/// matches stays as it is. YAML:
///
///   - {from: 'blocks\.(\d+)\.mlp\.fc1\.(.*)', to: 'encoder.blocks.$1.ffn1.fc1.$2'}   # ECMAScript regular expression
///   - {from: 'pos_embed', drop: true}                                                # known, not needed
///   - {from: 'patch_embed\.proj\.weight', to: '…', permute: [0, 1, 3, 2]}            # axes in another order
struct WeightRule {
  std::string from, to;
  std::vector<int64_t> permute;
  bool drop = false;
};
using WeightRules = std::vector<WeightRule>;

/// Throws InputError with FILE:LINE:COL. An empty path gives no rules.
WeightRules read_weight_rules(const std::filesystem::path& file);

/// The tensors under their new names, through permuted views where a rule says so; those that a rule drops are left
/// out, and named in `dropped`. Throws InputError (code RULES, where = `where`, field = tensor) when two get one name
/// or a permute has another number of axes.
TensorDict renamed(const TensorDict& tensors, const WeightRules& rules, const std::string& where,
                   std::vector<std::string>* dropped = nullptr,
                   std::map<std::string, std::string>* foreign_names = nullptr);

/// Tensors of a run or bundle folder (its averaged weights where it has them; sums checked), of checkpoints/NAME, of a
/// .safetensors file, or of a PyTorch file (io/torch_file.h). Content decides the format, not the extension. What NAME
/// may mean: named_path() in train/bundle.h.
TensorDict read_weights(const std::filesystem::path& from);

/// What became of one tensor.
struct TransferRow {
  enum class State { loaded, resized, missing, unused, misfit } state = State::loaded;
  std::string name;     ///< ours; empty when unused, be it unknown here or dropped by a rule
  std::string foreign;  ///< theirs; empty when missing
  std::vector<int64_t> shape, foreign_shape;
};

struct Transfer {
  std::vector<TransferRow> rows;  ///< ours in the module's order, then what was unused
  [[nodiscard]] int64_t count(TransferRow::State state) const;
  [[nodiscard]] std::string summary()
      const;  ///< "152 loaded, 1 resized, 2 missing (head.weight, head.bias), 40 unused"
};

/// Copies what fits into the module's parameters and buffers; Encoder::resized may make more fit (its own parameters
/// are "encoder.…" in `module`). Tensors of other floating types are converted; numbers of another kind are a misfit.
/// Throws InputError (code CKPT, where = `where`) when nothing fits, or a value to be copied is not finite; then
/// nothing was copied.
Transfer transfer_weights(torch::nn::Module& module, const Encoder& encoder, const TensorDict& source,
                          const WeightRules& rules, const std::string& where);

}  // namespace amae
