// Options are declared once: a struct with its defaults in place and a `describe` that lists each field.
//
//   struct GainOptions {
//     double max_db = 6.0;
//     void describe(amae::Fields& f) { f.add("max_db", max_db, "largest change").unit("dB").range(0, 60); }
//   };
//
// From that one list come strict reading of the YAML (unknown key, wrong type, out of range), `amae describe`, the
// resolved config saved with a run, the JSON Schema and the boundary cases of the generated tests.
// An optional `void check() const` throws InputError for rules that span fields; its problems' `field` names the
// option.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace amae {

struct OptionsBase;
namespace config {
struct Node;
}

/// A component named in a config: `{name: resnet, id: optional, ...options}`; a bare scalar is the name alone.
struct Component {
  std::string name;                          ///< registry key; empty when the config has none
  std::string id;                            ///< handle for overrides (`transforms.ID.key=…`); empty: the name
  std::shared_ptr<const config::Node> node;  ///< where it stood in the config; null when absent
  std::shared_ptr<OptionsBase> options;      ///< filled by the registry once the name is known
};

/// One declared option. `value` points into the options struct that declared it.
struct Field {
  using Value = std::variant<bool*, int64_t*, double*, std::string*, std::vector<int64_t>*, std::vector<double>*,
                             std::vector<std::string>*, Component*, std::vector<Component>*>;
  std::string name;  ///< the YAML key; a section's fields have dotted names ("train.epochs")
  Value value;
  std::string doc;
  std::string unit_name = {};  ///< "s", "Hz", "bytes", "dB", "samples", "fraction", … decides which suffixes are read
  double minimum = -std::numeric_limits<double>::infinity();  ///< inclusive; of each element for a list
  double maximum = std::numeric_limits<double>::infinity();   ///< inclusive
  std::vector<std::string> allowed = {};                      ///< for text: the only values taken; empty: any
  std::string component_kind = {};                            ///< for components: "model", "dataset" or "transform"
  bool is_required = false;                                   ///< must be given
  bool is_path = false;  ///< relative paths are read relative to the file that names them, or to the cwd from arguments

  Field& unit(std::string name_) { return unit_name = std::move(name_), *this; }
  Field& range(double lowest, double highest) { return minimum = lowest, maximum = highest, *this; }
  Field& min(double lowest) { return minimum = lowest, *this; }
  Field& choices(std::vector<std::string> values) { return allowed = std::move(values), *this; }
  Field& kind(std::string name_) { return component_kind = std::move(name_), *this; }
  Field& required() { return is_required = true, *this; }
  Field& path() { return is_path = true, *this; }

  /// "int", "number", "bool", "text", "list of int", …, "component", "list of component".
  [[nodiscard]] std::string type_name() const;
};

/// The list that `describe` fills.
class Fields {
 public:
  /// Declares one option. `value` must outlive the list.
  template <class T>
  Field& add(const std::string& name, T& value, const std::string& doc) {
    fields_.push_back(Field{prefix_ + name, Field::Value(&value), doc});
    return fields_.back();
  }

  /// Declares a nested map: every field of `options` under `name`.
  template <class Options>
  void section(const std::string& name, Options& options) {
    const std::string outer = prefix_;
    prefix_ = outer + name + ".";
    options.describe(*this);
    prefix_ = outer;
  }

  [[nodiscard]] const std::vector<Field>& all() const { return fields_; }

 private:
  std::string prefix_;
  std::vector<Field> fields_;
};

/// Type-erased options struct; the registry keeps one for each component of a config.
struct OptionsBase {
  virtual ~OptionsBase();
  virtual void describe(Fields& fields) = 0;
  virtual void check() const = 0;
};

template <class Options>
struct OptionsHolder final : OptionsBase {
  Options value;
  void describe(Fields& fields) override { value.describe(fields); }
  void check() const override {
    if constexpr (requires(const Options& o) { o.check(); }) value.check();
  }
};

/// Options of a component that has none.
struct NoOptions {
  void describe(Fields& /*fields*/) {}
};

}  // namespace amae
