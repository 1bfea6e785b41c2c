// The checks by the kind of component they are for. A new check is one more entry of a list in one of these files.
#pragma once

#include <string>
#include <vector>

#include "compliance/check.h"

namespace amae::compliance {

/// A check that is known by name alone; those of options carry their option and value in the id (option_checks.h).
struct NamedCheck {
  Check check;
  void (*run)(const Subject&);
};

const std::vector<NamedCheck>& description_checks();  ///< of every kind
const std::vector<NamedCheck>& model_checks();
const std::vector<NamedCheck>& autoencoder_checks();  ///< of models; skipped where one is no masked autoencoder
const std::vector<NamedCheck>& dataset_checks();
const std::vector<NamedCheck>& transform_checks();
const std::vector<NamedCheck>& fuzz_checks();  ///< of every kind

}  // namespace amae::compliance
