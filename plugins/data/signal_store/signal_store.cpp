#include "signal_store.h"

namespace amae {

SignalStore::SignalStore(const SignalStoreOptions& options) : store_(options.root), spec_(store_.common_spec()) {}

}  // namespace amae
