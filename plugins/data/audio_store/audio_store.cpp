#include "audio_store.h"

namespace amae {

AudioStore::AudioStore(const AudioStoreOptions& options) : store_(options.root), spec_(store_.spec(0)) {
  for (int64_t row = 1; row < size(); ++row) {
    const Spec spec = store_.spec(row);
    for (size_t axis = 0; axis < spec.shape.size(); ++axis) {
      if (spec.shape[axis] != spec_.shape[axis]) spec_.shape[axis] = -1;
    }
    if (spec.rate_hz != spec_.rate_hz) spec_.rate_hz = 0;
  }
}

}  // namespace amae
