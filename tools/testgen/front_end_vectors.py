#!/usr/bin/env python3
"""Writes tests/vectors/front_ends.safetensors: what well-known front ends answer for impulse, chirp, noise, silence and
half a second of ten ESC-10 clips.

usage: front_end_vectors.py OUTPUT_FOLDER ESC10_FOLDER     (run it through tools/testgen/reference_vectors)

torchaudio, kaldi, ast, audiomae and audiomae++ come from torchaudio's own code, with default type float64: the same
formulas without the rounding that float32 leaves in the logarithm of what is nearly nothing. How far torchaudio's
float32 results lie from them is printed. Debian has no package of librosa or torchlibrosa: librosa, panns and pcen are
transcriptions into NumPy of the published definitions (librosa 0.10's documentation of stft, filters.mel, power_to_db
and pcen; torchlibrosa as used by CNN14 of PANNs).

Tensors: "x.RATE.SIGNAL" [N], float32 or int16 (full scale 32768); "PROFILE.SIGNAL" features [F, T];
"audiomae++.ln.SIGNAL" before its norm; "mfcc.torchaudio.SIGNAL", "mfcc.kaldi.SIGNAL" [K, T];
"pcen.default.SIGNAL" and "pcen.other.SIGNAL" of librosa's features.
"""

import csv
import math
import pathlib
import sys

import numpy
import safetensors
import safetensors.torch
import soundfile
import torch
import torchaudio
import torchaudio.compliance.kaldi as kaldi

SEED = 20251120
SECONDS = 0.5
RATES = {"torchaudio": 16000, "librosa": 22050, "kaldi": 16000, "ast": 16000, "audiomae": 16000, "audiomae++": 16000,
         "panns": 32000}
FLOAT32_EPSILON = torch.finfo(torch.float32).eps
AUDIOSET_MEAN, AUDIOSET_STD = -4.2677393, 4.5689974


def synthetic(rate, generator):
    length = int(SECONDS * rate)
    time = torch.arange(length, dtype=torch.float64) / rate
    impulse = torch.zeros(length, dtype=torch.float64)
    impulse[length // 3] = 0.9
    # 20 Hz to 0.48 of the rate: phase is the integral of the frequency.
    low, high = 20.0, 0.48 * rate
    chirp = 0.5 * torch.sin(2 * math.pi * (low * time + (high - low) * time**2 / (2 * SECONDS)))
    noise = 0.1 * torch.randn(length, generator=generator, dtype=torch.float64)
    return {"impulse": impulse, "chirp": chirp, "noise": noise, "silence": torch.zeros(length, dtype=torch.float64)}


def clips(folder):
    """The first clip of each class in fold 1: {name: float64 [N]}, the loudest half second of it, at 44.1 kHz."""
    with open(folder / "meta" / "esc50.csv", newline="") as file:
        rows = sorted((row for row in csv.DictReader(file) if row["esc10"] == "True" and row["fold"] == "1"),
                      key=lambda row: row["filename"])
    chosen = {}
    for row in rows:
        chosen.setdefault(row["target"], row["filename"])
    assert len(chosen) == 10, chosen
    found = {}
    for name in sorted(chosen.values()):
        samples, rate = soundfile.read(folder / "audio" / name, dtype="float64")
        assert rate == 44100 and samples.ndim == 1, name
        size = int(SECONDS * rate)
        starts = range(0, len(samples) - size + 1, rate // 10)
        start = max(starts, key=lambda s: float((samples[s : s + size] ** 2).sum()))
        found[pathlib.Path(name).stem] = torch.from_numpy(samples[start : start + size])
    return found


# --- torchaudio's own code -------------------------------------------------------------------------------------------


def torchaudio_mel(x, rate):
    return torchaudio.transforms.MelSpectrogram(sample_rate=rate)(x)


def kaldi_fbank(x, rate):
    return kaldi.fbank((x * 32768)[None], sample_frequency=rate).T


def ast_fbank(x, rate):
    x = (x - x.mean())[None]
    features = kaldi.fbank(x, htk_compat=True, sample_frequency=rate, use_energy=False, window_type="hanning",
                           num_mel_bins=128, dither=0.0, frame_shift=10)
    return ((features - AUDIOSET_MEAN) / (AUDIOSET_STD * 2)).T


def audiomae_pp_ln(x, rate):
    mel = torchaudio.transforms.MelSpectrogram(sample_rate=rate, n_fft=400, win_length=400, hop_length=160, f_min=50.0,
                                               f_max=8000.0, n_mels=80, power=2.0)
    return (mel(x) + FLOAT32_EPSILON).log()


def audiomae_pp(x, rate):
    features = audiomae_pp_ln(x, rate)
    return (features - features.mean()) / (features.std() + 1e-8)


def torchaudio_mfcc(x, rate):
    return torchaudio.transforms.MFCC(sample_rate=rate)(x)


def kaldi_mfcc(x, rate):
    return kaldi.mfcc((x * 32768)[None], sample_frequency=rate).T


# --- transcriptions --------------------------------------------------------------------------------------------------


def slaney_hz(mel):
    return numpy.where(mel < 15, mel * 200 / 3, 1000 * numpy.exp((mel - 15) * math.log(6.4) / 27))


def slaney_mel(hz):
    return hz * 3 / 200 if hz < 1000 else 15 + math.log(hz / 1000) * 27 / math.log(6.4)


def slaney_filters(rate, n_fft, n_mels, f_min, f_max):
    """librosa.filters.mel: triangles over Hz between corners even in Slaney's mel, each of area 1 Hz. [M, bins]"""
    corners = slaney_hz(numpy.linspace(slaney_mel(f_min), slaney_mel(f_max), n_mels + 2))
    hz = numpy.arange(n_fft // 2 + 1) * rate / n_fft
    rows = []
    for left, middle, right in zip(corners, corners[1:], corners[2:]):
        rising, falling = (hz - left) / (middle - left), (right - hz) / (right - middle)
        rows.append(numpy.clip(numpy.minimum(rising, falling), 0, None) * 2 / (right - left))
    return numpy.stack(rows)


def numpy_mel(x, rate, *, n_fft, hop, n_mels, f_min, f_max, pad_mode):
    """|STFT|^2, centred, periodic Hann window, through slaney_filters. -> [M, T]"""
    window = 0.5 - 0.5 * numpy.cos(2 * math.pi * numpy.arange(n_fft) / n_fft)
    padded = numpy.pad(x.numpy(), n_fft // 2, mode=pad_mode)
    starts = range(0, len(padded) - n_fft + 1, hop)
    spectrum = numpy.fft.rfft(numpy.stack([padded[s : s + n_fft] * window for s in starts]))
    return slaney_filters(rate, n_fft, n_mels, f_min, f_max) @ (numpy.abs(spectrum) ** 2).T


def librosa_mel(x, rate):
    mel = numpy_mel(x, rate, n_fft=2048, hop=512, n_mels=128, f_min=0.0, f_max=rate / 2, pad_mode="constant")
    return torch.from_numpy(mel)


def panns_mel(x, rate):
    mel = numpy_mel(x, rate, n_fft=1024, hop=320, n_mels=64, f_min=50.0, f_max=14000.0, pad_mode="reflect")
    return torch.from_numpy(10 * numpy.log10(numpy.maximum(1e-10, mel)))


def pcen(energy, frame_rate, *, time_constant=0.4, gain=0.98, bias=2.0, power=0.5, eps=1e-6):
    """librosa.pcen: the smoothing filter's state is that of a long run of ones. energy [F, T] -> [F, T]"""
    n = time_constant * frame_rate
    b = (math.sqrt(1 + 4 * n * n) - 1) / (2 * n * n)
    smooth, columns = numpy.ones(energy.shape[0]), []
    for column in energy.T:
        smooth = (1 - b) * smooth + b * column
        columns.append((column / (eps + smooth) ** gain + bias) ** power - bias**power)
    return numpy.stack(columns, axis=1)


PROFILES = {"torchaudio": torchaudio_mel, "librosa": librosa_mel, "kaldi": kaldi_fbank, "ast": ast_fbank,
            "audiomae": ast_fbank, "audiomae++": audiomae_pp, "panns": panns_mel}
# librosa's features at 22050 Hz have 22050 / 512 frames a second.
PCEN = {"default": {}, "other": dict(time_constant=0.06, gain=0.8, bias=10.0, power=0.25, eps=1e-4)}


def vectors(folder):
    tensors, recordings = {}, clips(folder)
    for rate in sorted(set(RATES.values())):
        for name, x in synthetic(rate, torch.Generator().manual_seed(SEED)).items():
            tensors[f"x.{rate}.{name}"] = x.to(torch.float32)
        for name, x in recordings.items():
            resampled = torchaudio.functional.resample(x, 44100, rate, lowpass_filter_width=64,
                                                       resampling_method="sinc_interp_kaiser")
            tensors[f"x.{rate}.{name}"] = (resampled * 32768).round().clamp(-32768, 32767).to(torch.int16)

    def samples(rate, name):
        x = tensors[f"x.{rate}.{name}"]
        return x.double() / 32768 if x.dtype == torch.int16 else x.double()

    names = ["impulse", "chirp", "noise", "silence", *recordings]
    for name in names:
        for profile, front_end in PROFILES.items():
            tensors[f"{profile}.{name}"] = front_end(samples(RATES[profile], name), RATES[profile])
        x = samples(16000, name)
        tensors[f"audiomae++.ln.{name}"] = audiomae_pp_ln(x, 16000)
        tensors[f"mfcc.torchaudio.{name}"] = torchaudio_mfcc(x, 16000)
        tensors[f"mfcc.kaldi.{name}"] = kaldi_mfcc(x, 16000)
        energy = tensors[f"librosa.{name}"].to(torch.float32).double().numpy()
        for variant, options in PCEN.items():
            tensors[f"pcen.{variant}.{name}"] = torch.from_numpy(pcen(energy, 22050 / 512, **options))
    print_float32_distance(names, samples)
    whole = {key: value if value.dtype == torch.int16 else value.to(torch.float32) for key, value in tensors.items()}
    return {key: value.contiguous() for key, value in whole.items()}, list(recordings)


def print_float32_distance(names, samples):
    """Largest difference, relative to the peak, of what torchaudio gives for float32 from what it gives for float64."""
    worst = {}
    for profile in ("torchaudio", "kaldi", "ast", "audiomae++"):
        for name in names:
            if name == "silence":
                continue
            x, rate = samples(RATES[profile], name), RATES[profile]
            exact = PROFILES[profile](x, rate)
            torch.set_default_dtype(torch.float32)
            single = PROFILES[profile](x.to(torch.float32), rate)
            torch.set_default_dtype(torch.float64)
            error = float((single - exact).abs().max() / exact.abs().max())
            worst[profile] = max(worst.get(profile, (0, "")), (error, name))
    for profile, (error, name) in worst.items():
        print(f"torchaudio float32 against float64, {profile}: at most {error:.2e} of the peak ({name})")


def main():
    torch.set_default_dtype(torch.float64)
    tensors, names = vectors(pathlib.Path(sys.argv[2]))
    versions = f"torch {torch.__version__}, torchaudio {torchaudio.__version__}, numpy {numpy.__version__}"
    about = (
        f"script tools/testgen/front_end_vectors.py; versions {versions}, safetensors {safetensors.__version__}; "
        f"seed {SEED}; command tools/testgen/reference_vectors"
    )
    metadata = {"generated_by": about, "clips": ", ".join(names), "licence": "CC BY, see tests/vectors/README.md"}
    safetensors.torch.save_file(tensors, f"{sys.argv[1]}/front_ends.safetensors", metadata=metadata)
    print("front_ends", len(tensors), "tensors")


if __name__ == "__main__":
    main()
