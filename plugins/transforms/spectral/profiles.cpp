#include "profiles.h"

#include <ATen/ATen.h>

namespace amae {
namespace {

constexpr double kFloatEpsilon = 1.1920928955078125e-07;  // of float32, the floor of Kaldi's logarithms

std::vector<Profile> make_profiles() {
  // torchaudio.transforms.MelSpectrogram of torchaudio 2.6.
  const Profile torchaudio{.name = "torchaudio"};

  // librosa.feature.melspectrogram of librosa 0.10, which pads with zeros (before 0.10: by reflection).
  Profile librosa{.name = "librosa"};
  librosa.n_fft = 2048;
  librosa.hop = 512;
  librosa.pad_mode = "constant";
  librosa.mel_scale = "slaney";
  librosa.norm = "slaney";

  // Kaldi's compute-fbank-feats with its own defaults but --dither=0, as torchaudio.compliance.kaldi.fbank computes it
  // from samples of the range of int16.
  Profile kaldi{.name = "kaldi"};
  kaldi.n_fft = 0;
  kaldi.window_ms = 25;
  kaldi.hop_ms = 10;
  kaldi.window = "povey";
  kaldi.window_form = "symmetric";
  kaldi.center = "false";
  kaldi.short_window = "start";
  kaldi.remove_dc = "frame";
  kaldi.pre_emphasis = 0.97;
  kaldi.full_scale = 32768;
  kaldi.n_mels = 23;
  kaldi.f_min = 20;
  kaldi.triangles = "mel";
  kaldi.scale = "ln";
  kaldi.floor = kFloatEpsilon;

  // AST (Gong, Chung, Glass 2021, arXiv:2104.01778; YuanGongND/ast, src/dataloader.py): Kaldi's features of samples
  // within 1, a Hann window, (x - mean) / (2 std) with AudioSet's statistics. 16 kHz, mono. The mean of the clip, which
  // AST takes off first, goes with the mean of each frame.
  Profile ast = kaldi;
  ast.name = "ast";
  ast.window = "hann";
  ast.full_scale = 1;
  ast.n_mels = 128;
  ast.feature_norm = "stats";
  ast.mean = -4.2677393;
  ast.std = 4.5689974;

  // AudioMAE (Huang et al. 2022, arXiv:2207.06405; facebookresearch/AudioMAE, dataset.py): AST's, with the same
  // statistics for AudioSet; ESC-50's are stats: [-6.6268077, 5.358466].
  Profile audiomae = ast;
  audiomae.name = "audiomae";

  // AudioMAE++ (Yadav et al. 2025, arXiv:2507.10464; SarthakYadav/audiomae-plusplus-official, src/data/features.py).
  // 16 kHz, mono.
  Profile audiomae_pp{.name = "audiomae++"};
  audiomae_pp.hop = 160;
  audiomae_pp.n_mels = 80;
  audiomae_pp.f_min = 50;
  audiomae_pp.f_max = 8000;
  audiomae_pp.scale = "ln";
  audiomae_pp.floor = kFloatEpsilon;
  audiomae_pp.floor_rule = "add";
  audiomae_pp.feature_norm = "clip";

  // PANNs' CNN14 (Kong et al. 2020, arXiv:1912.10211; audioset_tagging_cnn, pytorch/models.py, with torchlibrosa).
  // 32 kHz, mono.
  Profile panns{.name = "panns"};
  panns.n_fft = 1024;
  panns.hop = 320;
  panns.n_mels = 64;
  panns.f_min = 50;
  panns.f_max = 14000;
  panns.mel_scale = "slaney";
  panns.norm = "slaney";
  panns.scale = "db";

  return {torchaudio, librosa, kaldi, ast, audiomae, audiomae_pp, panns};
}

const std::vector<Profile>& profiles() {
  static const std::vector<Profile> all = make_profiles();
  return all;
}

}  // namespace

const Profile& find_profile(const std::string& name) {
  for (const Profile& profile : profiles()) {
    if (profile.name == name) return profile;
  }
  TORCH_CHECK(false, "no front-end profile is named '", name, "'");
}

std::vector<std::string> profile_names() {
  std::vector<std::string> names;
  for (const Profile& profile : profiles()) names.push_back(profile.name);
  return names;
}

}  // namespace amae
