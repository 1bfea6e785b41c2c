// What a masked autoencoder must keep beside what every encoder does. Dimension letters: B items, L tokens, K kept.
#include <torch/utils.h>

#include <algorithm>

#include "compliance/catalogue.h"
#include "compliance/inputs.h"
#include "compliance/trial.h"

namespace amae::compliance {
namespace of_autoencoders {  // several files go to one call of the compiler

struct AutoencoderTrial {
  ModelTrial trial;
  MaskedAutoencoder* model = nullptr;
  int64_t tokens = 0;
};

/// The first trial as an autoencoder. Throws Skipped where the model is none.
AutoencoderTrial autoencoder(const Subject& subject) {
  AutoencoderTrial result{std::move(model_trials(subject, 1, /*reconstructs=*/true).front())};
  result.model = dynamic_cast<MaskedAutoencoder*>(result.trial.model.get());
  if (result.model == nullptr) throw Skipped("is no masked autoencoder");
  const TokenGrid grid = result.model->token_grid();
  expect(subject, grid.bands >= 1 && grid.steps >= 1 && grid.size() >= 2, "cuts its input into {} x {} tokens",
         grid.bands, grid.steps);
  result.tokens = grid.size();
  result.model->eval();
  return result;
}

/// [items, K] token numbers begin, begin + step, …
at::Tensor every(int64_t begin, int64_t step, int64_t tokens, int64_t items) {
  return at::arange(begin, tokens, step, at::kLong).repeat({items, 1});
}

void reconstructs(const Subject& subject) {
  const AutoencoderTrial a = autoencoder(subject);
  const at::Tensor x = noise_batch(a.trial.input, 3, subject.seed).x;
  const Reconstruction result = a.model->reconstruct(x, every(0, 3, a.tokens, 3));
  expect(subject, result.losses.defined() && result.losses.sizes() == at::IntArrayRef({3}),
         "gives losses of another shape than [3] for 3 items");
  expect(subject, result.losses.isfinite().all().item<bool>() && result.losses.min().item<double>() >= 0,
         "gives losses that are negative or not finite");
  expect(subject, result.features.defined() && result.features.dim() == 2 && result.features.size(0) == 3,
         "gives features of another shape than [3, D] with a reconstruction");
  expect(subject, result.prediction.defined() && result.prediction.sizes() == x.sizes(),
         "gives a prediction of another shape than its input");
  expect(subject, !result.prediction.requires_grad(), "gives a prediction that is not detached");
}

/// Which numbers of x the visible latents depend on, by the gradient of a weighted sum of them.
at::Tensor seen(const AutoencoderTrial& a, const at::Tensor& x, const at::Tensor& kept) {
  const at::Tensor input = x.clone().requires_grad_(true);
  const at::Tensor latents = a.model->reconstruct(input, kept).features;
  (latents * at::arange(1, latents.size(1) + 1, at::kFloat)).sum().backward();
  return input.grad().abs() > 0;
}

void does_not_see_what_is_hidden(const Subject& subject) {
  const AutoencoderTrial a = autoencoder(subject);
  const at::Tensor x = noise_batch(a.trial.input, 1, subject.seed).x;
  const at::Tensor even = every(0, 2, a.tokens, 1), odd = every(1, 2, a.tokens, 1);
  const at::Tensor of_even = seen(a, x, even), of_odd = seen(a, x, odd);
  expect(subject, of_even.any().item<bool>() && of_odd.any().item<bool>(),
         "its latents depend on nothing of the input");
  const int64_t both = of_even.logical_and(of_odd).sum().item<int64_t>();
  expect(subject, both == 0, "{} numbers of the input reach the latents whether their token is hidden or not", both);
  const at::NoGradGuard no_grad;
  const at::Tensor changed = at::where(of_odd, x + 1, x);
  expect(subject, at::equal(a.model->reconstruct(x, even).features, a.model->reconstruct(changed, even).features),
         "its latents change with what is hidden");
  expect(subject, !at::equal(a.model->reconstruct(x, even).losses, a.model->reconstruct(changed, even).losses),
         "its loss does not change with what is hidden");
}

void reconstructs_items_alone(const Subject& subject) {
  const AutoencoderTrial a = autoencoder(subject);
  const at::NoGradGuard no_grad;
  const at::Tensor x = noise_batch(a.trial.input, 4, subject.seed).x;
  at::Tensor kept = every(0, 2, a.tokens, 4);
  kept[1] += a.tokens % 2 == 0 ? 1 : 0;  // another mask for one of them
  const Reconstruction together = a.model->reconstruct(x, kept);
  for (int64_t item = 0; item < 4; ++item) {
    const Reconstruction alone = a.model->reconstruct(x.slice(0, item, item + 1), kept.slice(0, item, item + 1));
    const double expected = together.losses[item].item<double>(), got = alone.losses[0].item<double>();
    expect(subject, std::abs(expected - got) <= 1e-4 * std::max(1.0, std::abs(expected)),
           "gives an item loss {} alone and {} in a batch", got, expected);
  }
}

void learns_to_reconstruct(const Subject& subject) {
  const AutoencoderTrial a = autoencoder(subject);
  a.model->train();
  torch::manual_seed(3);
  const at::Tensor x = noise_batch(a.trial.input, 3, subject.seed).x;
  a.model->reconstruct(x, every(0, 3, a.tokens, 3)).losses.sum().backward();
  for (const auto& item : a.model->named_parameters()) {
    if (!item.value().requires_grad()) continue;
    const at::Tensor gradient = item.value().grad();
    expect(subject, gradient.defined() && gradient.isfinite().all().item<bool>(),
           "parameter {} gets no finite gradient from the reconstruction", item.key());
  }
}

void refuses_to_reconstruct_untold(const Subject& subject) {
  static_cast<void>(autoencoder(subject));
  const ModelTrial trial = std::move(model_trials(subject, 1).front());
  auto* model = dynamic_cast<MaskedAutoencoder*>(trial.model.get());
  if (model == nullptr) return;  // a plain encoder where none is asked for
  try {
    static_cast<void>(model->reconstruct(noise_batch(trial.input, 1, 0).x, every(0, 2, model->token_grid().size(), 1)));
  } catch (const InputError&) {
    return;
  }
  fail(subject, "reconstructs without having been told to; expected an InputError");
}

}  // namespace of_autoencoders

const std::vector<NamedCheck>& autoencoder_checks() {
  using namespace of_autoencoders;
  static const std::vector<NamedCheck> checks = {
      {{"reconstruction", "losses, features and prediction have their shapes and are finite", 5}, reconstructs},
      {{"reconstruction_untold", "it refuses to reconstruct where it was not made for that", 5},
       refuses_to_reconstruct_untold},
      {{"hidden_unseen", "nothing that is hidden reaches the latents, and all of it the loss", 7},
       does_not_see_what_is_hidden},
      {{"reconstruction_independent", "an item's loss does not depend on its batch", 7}, reconstructs_items_alone},
      {{"reconstruction_gradients", "each parameter gets a gradient from the reconstruction", 8},
       learns_to_reconstruct},
  };
  return checks;
}

}  // namespace amae::compliance
