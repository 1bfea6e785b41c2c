#!/usr/bin/env python3
"""Writes tests/vectors/torchaudio_*.safetensors: what torchaudio answers for small seeded signals.

usage: reference_vectors.py OUTPUT_FOLDER     (run it through tools/testgen/reference_vectors)

The tests of plugins/transforms compare with these numbers to 1e-4 of the peak. Settings of a case are repeated in the
test beside its name; tensor names are "<case>.<what>".
"""

import math
import sys

import numpy
import safetensors
import safetensors.torch
import torch
import torchaudio

SEED = 20251120


def signal(generator, channels, length, rate):
    """float32 [channels, length]: noise, two tones and a sweep, so that every bin has something."""
    time = torch.arange(length, dtype=torch.float64) / rate
    rows = []
    for channel in range(channels):
        tones = torch.sin(2 * math.pi * 440 * (channel + 1) * time) + 0.5 * torch.sin(2 * math.pi * 0.31 * rate * time)
        sweep = torch.sin(2 * math.pi * (0.4 * rate * time / 2) * time * rate / length)
        noise = torch.randn(length, generator=generator, dtype=torch.float64)
        rows.append(0.2 * tones + 0.2 * sweep + 0.05 * noise)
    return torch.stack(rows).to(torch.float32)


MEL = {
    # case: (rate, length, keyword arguments of torchaudio.transforms.MelSpectrogram)
    "htk_1024_32k": (32000, 9601, dict(n_fft=1024, hop_length=512, n_mels=64, f_min=50.0, f_max=14000.0)),
    "htk_400_16k": (16000, 4000, dict(n_fft=400, hop_length=160, n_mels=80, f_min=50.0, f_max=8000.0)),
    "slaney_norm": (22050, 5000, dict(n_fft=1024, hop_length=256, n_mels=40, mel_scale="slaney", norm="slaney")),
    "slaney_plain": (22050, 5000, dict(n_fft=1024, hop_length=256, n_mels=40, mel_scale="slaney")),
    "htk_norm": (22050, 5000, dict(n_fft=1024, hop_length=256, n_mels=40, norm="slaney", f_min=100.0, f_max=9000.0)),
    "htk_2048_44k": (44100, 8192, dict(n_fft=2048, hop_length=512, n_mels=128)),
    "hamming": (16000, 3000, dict(n_fft=512, hop_length=128, n_mels=40, window_fn=torch.hamming_window)),
    "short_window": (16000, 3000, dict(n_fft=512, win_length=400, hop_length=160, n_mels=64)),
    "short_odd_window": (16000, 3000, dict(n_fft=512, win_length=321, hop_length=77, n_mels=40)),
    "uncentred": (16000, 3000, dict(n_fft=512, hop_length=160, n_mels=40, center=False)),
    "constant_pad": (16000, 3000, dict(n_fft=512, hop_length=160, n_mels=40, pad_mode="constant")),
    "magnitude": (16000, 3000, dict(n_fft=512, hop_length=160, n_mels=40, power=1.0)),
    "normalized": (16000, 3000, dict(n_fft=512, hop_length=160, n_mels=40, normalized=True)),
}


def mel_vectors(generator):
    tensors = {}
    for case, (rate, length, options) in MEL.items():
        x = signal(generator, 2, length, rate)
        transform = torchaudio.transforms.MelSpectrogram(sample_rate=rate, **options)
        tensors[f"{case}.x"] = x
        tensors[f"{case}.mel"] = transform(x)
        if case in ("htk_400_16k", "short_window"):
            tensors[f"{case}.stft_power"] = transform.spectrogram(x)
    # Three items, two channels each, at very different levels: top_db must be taken per item, over its channels.
    power = torch.stack([tensors["htk_400_16k.mel"] * scale for scale in (1.0, 1e-5, 1e3)])
    power[:, :, 3] = 0.0
    power[1, 0] *= 1e-7
    tensors["db.x"] = power
    for stype in ("power", "magnitude"):
        for top_db in (80.0, 30.0, None):
            name = f"db.{stype}.{'all' if top_db is None else int(top_db)}"
            tensors[name] = torchaudio.transforms.AmplitudeToDB(stype, top_db)(power)
    return tensors


HANN = dict(lowpass_filter_width=6, rolloff=0.99, resampling_method="sinc_interp_hann", beta=None)
KAISER = dict(
    lowpass_filter_width=64, rolloff=0.9475937167399596, resampling_method="sinc_interp_kaiser", beta=14.769656459379492
)
RATES = [(44100, 16000), (44100, 32000), (16000, 44100), (22050, 16000)]


def resample_kernel(orig, new, *, phases, taps, lowpass_filter_width, rolloff, resampling_method, beta):
    """The kernel of torchaudio's Resample (float64), only its first `phases` rows and `taps` columns.

    44101 -> 16000 has 16000 phases of 44135 taps, 5.6 GB; a short signal needs few of them. Checked below against
    torchaudio itself where that is small.
    """
    gcd = math.gcd(orig, new)
    orig, new = orig // gcd, new // gcd
    base = min(orig, new) * rolloff
    width = math.ceil(lowpass_filter_width * orig / base)
    index = torch.arange(-width, -width + min(taps, 2 * width + orig), dtype=torch.float64)[None] / orig
    t = torch.arange(0, -min(phases, new), -1, dtype=torch.float64)[:, None] / new + index
    t = (t * base).clamp(-lowpass_filter_width, lowpass_filter_width)
    if resampling_method == "sinc_interp_hann":
        window = torch.cos(t * math.pi / lowpass_filter_width / 2) ** 2
    else:
        b = torch.tensor(beta, dtype=torch.float64)
        window = torch.i0(b * torch.sqrt(1 - (t / lowpass_filter_width) ** 2)) / torch.i0(b)
    t = t * math.pi
    kernel = torch.where(t == 0, torch.ones_like(t), torch.sin(t) / t) * window * (base / orig)
    return kernel, width, orig, new


def resample_short(x, orig, new, **options):
    """torchaudio's resampling of an x that is shorter than orig / gcd: one block of output, in float64."""
    length = x.shape[-1]
    target = math.ceil(new * length / orig)
    kernel, width, orig, new = resample_kernel(orig, new, phases=target, taps=length + 1000, **options)
    assert length <= orig and target <= new, "one block only"
    padded = torch.nn.functional.pad(x.to(torch.float64), (width, kernel.shape[1]))[..., : kernel.shape[1]]
    return (padded @ kernel.T).to(torch.float32)


def resample_vectors(generator):
    tensors = {}
    for orig, new in RATES:
        x = signal(generator, 2, 3001, orig)
        tensors[f"{orig}_{new}.x"] = x
        for name, options in (("hann", HANN), ("kaiser", KAISER)):
            # dtype float64 builds the kernel in float64 and then rounds it to float32; with dtype=None a float32
            # kernel index costs accuracy (torchaudio's own documentation warns of it).
            resample = torchaudio.transforms.Resample(orig, new, dtype=torch.float64, **options)
            resample.kernel = resample.kernel.to(torch.float32)
            tensors[f"{orig}_{new}.{name}"] = resample(x)
    # The short form must be torchaudio's own definition: compare on a large block that torchaudio can do.
    probe = signal(generator, 1, 400, 44100)
    for options in (HANN, KAISER):
        direct = torchaudio.transforms.Resample(44100, 16000, dtype=torch.float64, **options)(probe.double())
        short = resample_short(probe, 44100, 16000, **options)
        assert (direct - short).abs().max() < 1e-6, "the short form differs from torchaudio"
    x = signal(generator, 2, 2500, 44101)
    tensors["44101_16000.x"] = x
    tensors["44101_16000.hann"] = resample_short(x, 44101, 16000, **HANN)
    tensors["44101_16000.kaiser"] = resample_short(x, 44101, 16000, **KAISER)
    return tensors


def main():
    folder = sys.argv[1]
    versions = f"torch {torch.__version__}, torchaudio {torchaudio.__version__}, numpy {numpy.__version__}"
    about = (
        f"script tools/testgen/reference_vectors.py; versions {versions}, safetensors {safetensors.__version__}; "
        f"seed {SEED}; command tools/testgen/reference_vectors"
    )
    for name, make in (("torchaudio_mel", mel_vectors), ("torchaudio_resample", resample_vectors)):
        generator = torch.Generator().manual_seed(SEED)
        tensors = {key: value.contiguous() for key, value in make(generator).items()}
        safetensors.torch.save_file(tensors, f"{folder}/{name}.safetensors", metadata={"generated_by": about})
        print(name, len(tensors), "tensors")


if __name__ == "__main__":
    main()
