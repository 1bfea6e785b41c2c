// A chain of transforms by itself, as `amae transform` takes it: out of a config, out of a run, or written on the
// command line.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "amae/signal.h"
#include "amae/transform.h"
#include "plugin/registry.h"

namespace amae {

/// Transforms that are ready for any signal, in evaluation mode.
struct Chain {
  std::string name;  ///< how messages call it: the path, or the word of the command line ("CHAIN", "A", "B")
  std::shared_ptr<const Registry> registry;
  std::vector<Component> transforms;  ///< resolved; without those left out
  TensorDict state;                   ///< what fitted ones learned, as Pipeline::state() has it
  std::vector<std::string> left_out;  ///< fitted transforms that nobody has fitted, by id or name
};

/// `text` is one of
///   a run or bundle folder: its front end, with what was fitted in training;
///   a config file: its `transforms` (nothing else of it is judged), without those that must be fitted;
///   YAML on one line: `mel`, `{name: mel, hop: 256}`, `[{name: channels, rule: mono}, mel]`, `[]`.
/// Throws InputError with every mistake, at file:line:column; in text of the command line at `word`:line:column.
Chain read_chain(const std::string& text, const std::string& word,
                 const std::vector<std::filesystem::path>& plugin_path);

/// What a signal is after one transform.
struct StageOutput {
  std::string name;  ///< of the transform; "(file)" for the signal itself
  Spec spec;         ///< with the sizes and the rate that really came
  at::Tensor x;      ///< [C, N] or [C, F, T]
};

/// Puts a signal through the chain and shows the signal itself and what each transform gives, in order. `from` names
/// the signal in messages. Throws InputError where a transform does not accept what arrives.
void run_chain(const Chain& chain, const Signal& signal, const std::string& from,
               const std::function<void(const StageOutput&)>& see);

}  // namespace amae
