#include "train/weights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/nn/module.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <regex>
#include <utility>

#include "amae/error.h"
#include "amae/options.h"
#include "base/file.h"
#include "base/text.h"
#include "config/read.h"
#include "config/walk.h"
#include "io/regular_file.h"
#include "io/safetensors.h"
#include "io/torch_file.h"
#include "train/bundle.h"

namespace amae {
namespace fs = std::filesystem;
namespace {

constexpr size_t kMaxRulesBytes = 1 << 20;
constexpr size_t kMaxMatchedName = 1000;  // std::regex recurses for every character

std::regex pattern_of(const WeightRule& rule) { return std::regex(rule.from, std::regex::ECMAScript); }

WeightRule read_rule(const config::NodePtr& node, const std::string& path, const config::Mark& parent,
                     std::vector<Problem>& problems) {
  WeightRule rule;
  Fields fields;
  fields.add("from", rule.from, "regular expression that a whole foreign name matches").required();
  fields.add("to", rule.to, "our name; $1 stands for the first group");
  fields.add("permute", rule.permute, "axes of theirs, in our order").range(0, 63);
  fields.add("drop", rule.drop, "known, not needed");
  const size_t before = problems.size();
  config::read_fields(node.get(), fields, path, parent, {}, problems);
  if (problems.size() > before) return rule;
  const auto add = [&](const char* key, const std::string& message) {
    problems.push_back({"RULES", config::mark_of(*node, key).text(), config::join_path(path, key), message});
  };
  try {
    pattern_of(rule);
  } catch (const std::regex_error& error) {
    add("from", fmt::format("got '{}', which is no regular expression ({})", printable(rule.from), error.what()));
  }
  if (rule.to.empty() == !rule.drop) add("to", "expected either a name here or drop: true");
  std::vector<int64_t> axes = rule.permute;
  std::sort(axes.begin(), axes.end());
  for (size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] == static_cast<int64_t>(i)) continue;
    add("permute",
        fmt::format("got [{}], expected each axis from 0 to {} once", fmt::join(rule.permute, ", "), axes.size() - 1));
    break;
  }
  return rule;
}

/// The rules with their expressions compiled once for all names.
class Renamer {
 public:
  explicit Renamer(const WeightRules& rules) {
    for (const WeightRule& rule : rules) rules_.emplace_back(&rule, pattern_of(rule));
  }

  /// The rule that decides, or null; `name` becomes ours.
  const WeightRule* apply(std::string& name) const {
    if (name.size() > kMaxMatchedName) return nullptr;
    for (const auto& [rule, pattern] : rules_) {
      std::smatch match;
      if (!std::regex_match(name, match, pattern)) continue;
      if (!rule->drop) name = match.format(rule->to);
      return rule;
    }
    return nullptr;
  }

 private:
  std::vector<std::pair<const WeightRule*, std::regex>> rules_;
};

/// Parameters, then buffers, in the module's order.
std::vector<std::pair<std::string, torch::Tensor>> tensors_in_order(const torch::nn::Module& module) {
  std::vector<std::pair<std::string, torch::Tensor>> tensors;
  for (const auto& item : module.named_parameters()) tensors.emplace_back(item.key(), item.value().detach());
  for (const auto& item : module.named_buffers()) tensors.emplace_back(item.key(), item.value().detach());
  return tensors;
}

bool same_kind(const torch::Tensor& a, const torch::Tensor& b) {
  return a.is_floating_point() ? b.is_floating_point() : a.scalar_type() == b.scalar_type();
}

}  // namespace

WeightRules read_weight_rules(const fs::path& file) {
  if (file.empty()) return {};
  const std::string source = file.string();
  const config::NodePtr root = config::parse_yaml(read_file(file, kMaxRulesBytes), source);
  if (root->kind != config::Node::Kind::list)
    throw InputError("RULES", source, "", "got " + config::shown(*root) + ", expected a list of rules");
  WeightRules rules;
  std::vector<Problem> problems;
  for (size_t i = 0; i < root->list.size(); ++i)
    rules.push_back(read_rule(root->list[i], std::to_string(i), root->list[i]->mark, problems));
  if (!problems.empty()) throw InputError(std::move(problems));
  return rules;
}

TensorDict renamed(const TensorDict& tensors, const WeightRules& rules, const std::string& where,
                   std::vector<std::string>* dropped, std::map<std::string, std::string>* foreign_names) {
  const Renamer renamer(rules);
  TensorDict result;
  std::map<std::string, std::string> origins;
  for (const auto& [foreign, tensor] : tensors) {
    std::string name = foreign;
    const WeightRule* rule = renamer.apply(name);
    if (rule != nullptr && rule->drop) {
      if (dropped != nullptr) dropped->push_back(foreign);
      continue;
    }
    torch::Tensor value = tensor;
    if (rule != nullptr && !rule->permute.empty()) {
      if (tensor.dim() != static_cast<int64_t>(rule->permute.size())) {
        throw InputError("RULES", where, printable(foreign),
                         fmt::format("got shape {}, expected {} axes for permute [{}]", fmt::join(tensor.sizes(), "x"),
                                     rule->permute.size(), fmt::join(rule->permute, ", ")));
      }
      value = tensor.permute(rule->permute);
    }
    const auto [origin, is_new] = origins.emplace(name, foreign);
    if (!is_new) {
      throw InputError("RULES", where, printable(foreign),
                       fmt::format("becomes {}, as {} does; expected one tensor for each name", printable(name),
                                   printable(origin->second)));
    }
    result[name] = value;
  }
  if (foreign_names != nullptr) *foreign_names = std::move(origins);
  return result;
}

TensorDict read_weights(const fs::path& from) {
  const fs::path path = named_path(from);
  if (fs::is_directory(path)) {
    const fs::path folder = bundle_folder(path);
    verify_checksums(folder);
    const fs::path averaged = folder / "ema.safetensors";
    return read_safetensors(fs::exists(averaged) ? averaged : folder / "model.safetensors");
  }
  const RegularFile file(path, "CKPT");
  if (looks_like_torch_file(path)) return read_torch_file(path);
  char first = 0;  // of the header, a JSON object
  if (file.read_some(8, &first, 1) != 1 || first != '{') {
    file.refuse(
        "got neither a safetensors file nor one of torch.save (a zip archive), expected one of them or a run or bundle "
        "folder");
  }
  return read_safetensors(path);
}

int64_t Transfer::count(TransferRow::State state) const {
  return std::count_if(rows.begin(), rows.end(), [&](const TransferRow& row) { return row.state == state; });
}

std::string Transfer::summary() const {
  constexpr size_t kShown = 6;
  std::vector<std::string> parts;
  for (const auto& [state, word] :
       {std::pair(TransferRow::State::loaded, "loaded"), std::pair(TransferRow::State::resized, "resized"),
        std::pair(TransferRow::State::misfit, "of another shape"), std::pair(TransferRow::State::missing, "missing"),
        std::pair(TransferRow::State::unused, "unused")}) {
    const int64_t number = count(state);
    if (number == 0 && state != TransferRow::State::loaded) continue;
    std::string part = fmt::format("{} {}", number, word);
    if (state != TransferRow::State::loaded && state != TransferRow::State::unused) {
      std::vector<std::string> names;
      for (const TransferRow& row : rows) {
        if (row.state == state && names.size() < kShown) names.push_back(printable(row.name));
      }
      part += fmt::format(" ({}{})", join(names, ", "), number > static_cast<int64_t>(kShown) ? ", …" : "");
    }
    parts.push_back(part);
  }
  return join(parts, ", ");
}

Transfer transfer_weights(torch::nn::Module& module, const Encoder& encoder, const TensorDict& source,
                          const WeightRules& rules, const std::string& where) {
  using State = TransferRow::State;
  constexpr std::string_view kEncoder = "encoder.";
  const torch::NoGradGuard no_grad;
  std::vector<std::string> dropped;
  std::map<std::string, std::string> foreign_names;
  TensorDict given = renamed(source, rules, where, &dropped, &foreign_names);
  Transfer transfer;
  std::vector<std::pair<torch::Tensor, torch::Tensor>> copies;  // made when all has been judged
  for (auto& [name, own] : tensors_in_order(module)) {
    TransferRow row{State::missing, name, "", own.sizes().vec(), {}};
    if (const auto found = given.find(name); found != given.end()) {
      torch::Tensor value = found->second;
      row.foreign = foreign_names.at(name);
      row.foreign_shape = value.sizes().vec();
      row.state = State::misfit;
      if (same_kind(own, value)) {
        if (value.sizes() == own.sizes()) {
          row.state = State::loaded;
        } else if (name.starts_with(kEncoder)) {
          value = encoder.resized(name.substr(kEncoder.size()), value);
          if (value.defined() && value.sizes() == own.sizes()) row.state = State::resized;
        }
      }
      if (row.state != State::misfit) {
        value = value.to(own.scalar_type());
        if (value.is_floating_point() && !value.isfinite().all().item<bool>()) {
          throw InputError("CKPT", where, printable(row.foreign),
                           "got a value that is not finite, expected numbers to compute with");
        }
        copies.emplace_back(own, value);
      }
      given.erase(found);
    }
    transfer.rows.push_back(std::move(row));
  }
  std::vector<std::string> unused = dropped;
  for (const auto& [name, value] : given) unused.push_back(foreign_names.at(name));
  std::sort(unused.begin(), unused.end());
  for (const std::string& foreign : unused)
    transfer.rows.push_back({State::unused, "", foreign, {}, source.at(foreign).sizes().vec()});

  if (copies.empty()) {
    const auto first_of = [&](const auto& name_of) {
      std::vector<std::string> names;
      for (const TransferRow& row : transfer.rows) {
        if (!name_of(row).empty() && names.size() < 3) names.push_back(printable(name_of(row)));
      }
      return names.empty() ? std::string("none") : join(names, ", ");
    };
    throw InputError("CKPT", where, "",
                     fmt::format("got no tensor that fits this model ({}); theirs are {}, …, ours are {}, …; rules can "
                                 "turn their names into ours",
                                 transfer.summary(), first_of([](const TransferRow& row) { return row.foreign; }),
                                 first_of([](const TransferRow& row) { return row.name; })));
  }
  for (auto& [own, value] : copies) own.copy_(value);
  return transfer;
}

}  // namespace amae
