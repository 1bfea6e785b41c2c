#include "index/postprocess.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "amae/error.h"
#include "base/text.h"

namespace amae {

void PostOptions::describe(Fields& f) {
  f.add("centre", centre, "subtract the mean of the indexed rows");
  f.add("pca", pca, "keep at most this many principal directions; 0: all").range(0, 65536);
  f.add("whiten", whiten, "scale each principal direction to deviation 1");
  f.add("l2", l2, "scale every row to length 1");
}

at::Tensor unit_rows(const at::Tensor& x) { return x / x.norm(2, {1}, /*keepdim=*/true).clamp_min(1e-12); }

PostProcess PostProcess::fit(const PostOptions& options, const at::Tensor& x) {
  TORCH_CHECK(x.dim() == 2 && x.size(0) > 0, "PostProcess::fit: got ", x.sizes(), ", expected [N, D]");
  PostProcess post;
  post.l2_ = options.l2;
  post.whitened_ = options.whiten;
  const int64_t rows = x.size(0), dimension = x.size(1);
  const bool rotates = options.whiten || (options.pca > 0 && dimension > options.pca);
  if (!options.centre && !rotates) return post;
  constexpr int64_t kBlock = 16384;  // rows that are held as float64
  const auto block = [&](int64_t begin) { return x.narrow(0, begin, std::min(kBlock, rows - begin)).to(at::kDouble); };
  at::Tensor mean = at::zeros({dimension}, at::kDouble);
  for (int64_t begin = 0; begin < rows; begin += kBlock) mean += block(begin).sum(0);
  mean /= static_cast<double>(rows);
  if (options.centre) post.mean_ = mean.to(at::kFloat);
  if (!rotates || rows < 2) return post;

  at::Tensor covariance = at::zeros({dimension, dimension}, at::kDouble);
  for (int64_t begin = 0; begin < rows; begin += kBlock) {
    const at::Tensor part = block(begin) - mean;
    covariance.addmm_(part.t(), part);
  }
  covariance /= static_cast<double>(rows);
  auto [variances, axes] = at::linalg_eigh(covariance);
  variances = variances.flip(0).clamp_min(0).contiguous();
  axes = axes.flip(1);
  const double largest = variances[0].item<double>(), total = variances.sum().item<double>();
  const int64_t spread = (variances > 1e-10 * largest).sum().item<int64_t>();
  const int64_t most = options.pca > 0 ? std::min(options.pca, dimension) : dimension;
  const int64_t kept = std::max<int64_t>(1, std::min({most, spread, rows - 1}));
  axes = axes.narrow(1, 0, kept);
  const at::Tensor largest_loading = axes.gather(0, axes.abs().argmax(0, /*keepdim=*/true));
  axes = axes * at::where(largest_loading < 0, -1.0, 1.0);
  post.kept_ = total > 0 ? variances.narrow(0, 0, kept).sum().item<double>() / total : 1;
  if (options.whiten && largest > 0) axes = axes / variances.narrow(0, 0, kept).sqrt();
  post.axes_ = axes.to(at::kFloat).contiguous();
  return post;
}

at::Tensor PostProcess::operator()(const at::Tensor& x) const {
  const int64_t got = x.dim() == 2 ? x.size(1) : -1;
  const int64_t expected = axes_.defined() ? axes_.size(0) : mean_.defined() ? mean_.size(0) : got;
  if (x.dim() != 2 || got != expected)
    throw std::invalid_argument(fmt::format("PostProcess: got width {}, expected {}", got, expected));
  at::Tensor y = x.to(at::kFloat);
  if (mean_.defined()) y = y - mean_;
  if (axes_.defined()) y = y.matmul(axes_);
  if (l2_) y = unit_rows(y);
  return y.contiguous();
}

std::string PostProcess::text() const {
  std::vector<std::string> steps;
  if (mean_.defined()) steps.emplace_back("centre");
  if (axes_.defined()) steps.push_back(fmt::format("PCA to {} ({:.3f} of the variance)", axes_.size(1), kept_));
  if (axes_.defined() && whitened_) steps.emplace_back("whiten");
  if (l2_) steps.emplace_back("L2");
  return steps.empty() ? "none" : join(steps, ", ");
}

TensorDict PostProcess::state() const {
  TensorDict state{{"settings", at::tensor({l2_ ? 1.0 : 0.0, whitened_ ? 1.0 : 0.0, kept_}, at::kDouble)}};
  if (mean_.defined()) state["mean"] = mean_;
  if (axes_.defined()) state["axes"] = axes_;
  return state;
}

PostProcess PostProcess::from_state(const TensorDict& state) {
  PostProcess post;
  const auto settings = state.find("settings");
  if (settings == state.end() || settings->second.numel() != 3 || settings->second.scalar_type() != at::kDouble)
    throw InputError("INDEX", "", "post", "got no settings of the post-processing");
  const double* values = settings->second.const_data_ptr<double>();
  post.l2_ = values[0] != 0;
  post.whitened_ = values[1] != 0;
  post.kept_ = values[2];
  if (state.contains("mean")) post.mean_ = state.at("mean");
  if (state.contains("axes")) post.axes_ = state.at("axes");
  const bool fits = (!post.mean_.defined() || post.mean_.dim() == 1) &&
                    (!post.axes_.defined() || post.axes_.dim() == 2) &&
                    (!post.mean_.defined() || !post.axes_.defined() || post.mean_.size(0) == post.axes_.size(0));
  if (!fits) throw InputError("INDEX", "", "post", "got tensors of the post-processing that do not fit each other");
  return post;
}

}  // namespace amae
