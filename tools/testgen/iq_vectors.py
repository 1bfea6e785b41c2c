#!/usr/bin/env python3
"""Writes tests/vectors/iq.safetensors: what NumPy and torchaudio answer where amae has a transform of IQ frames.

usage: iq_vectors.py OUTPUT_FOLDER     (run it through tools/testgen/reference_vectors)

All is computed in float64 from the float32 frame "x" [2, N], rows I and Q, and stored as float32. Tensors:
"scale.NORM"; "cfo" and "rotated" [2, N]; "polar" [2, 1, N]; "spectrogram.WINDOW" [F, T], two-sided power; "decibels" of
the Hann one; "constellation" [Q, I], counts; "resample.P_Q" [2, ceil(N P / Q)].
"""

import math
import sys

import numpy
import safetensors
import safetensors.torch
import torch
import torchaudio

SEED = 20251121
LENGTH, N_FFT, HOP = 301, 64, 16
OFFSET, ANGLE = 0.0123, 2 * math.pi / 8  # cycles a sample, radians
CELLS, RANGE = 12, 1.5
FLOOR = 1e-3  # high enough to act on some bins
RATIOS = ((3, 2), (1, 2), (5, 4))


def window(kind):
    """The periodic form: one more point than needed, the last left out."""
    makers = {"hann": numpy.hanning, "hamming": numpy.hamming, "blackman": numpy.blackman, "rectangular": numpy.ones}
    return makers[kind](N_FFT + 1)[:N_FFT]


def spectrogram(z, kind):
    w = window(kind)
    pieces = [z[start : start + N_FFT] * w for start in range(0, len(z) - N_FFT + 1, HOP)]
    power = numpy.abs(numpy.fft.fft(numpy.stack(pieces))) ** 2 / numpy.sum(w**2)
    return numpy.fft.fftshift(power, axes=1).T


def rows(z):
    return numpy.stack([z.real, z.imag])


def vectors():
    random = numpy.random.default_rng(SEED)
    time = numpy.arange(LENGTH)
    noise = random.normal(size=LENGTH) + 1j * random.normal(size=LENGTH)
    frame = 0.7 * numpy.exp(2j * math.pi * 0.11 * time) + 0.4 * numpy.exp(-2j * math.pi * 0.3 * time) + 0.05 * noise
    x = rows(frame).astype(numpy.float32)
    z = x[0].astype(numpy.float64) + 1j * x[1]
    size = numpy.abs(z)
    tensors = {"x": x, "scale.rms": x / math.sqrt(numpy.mean(size**2)), "scale.l1": x / numpy.mean(size),
               "scale.peak": x / numpy.max(size), "cfo": rows(z * numpy.exp(2j * math.pi * OFFSET * time)),
               "rotated": rows(z * numpy.exp(1j * ANGLE)),
               "polar": numpy.stack([size, numpy.angle(z) / math.pi])[:, None, :]}
    for kind in ("hann", "hamming", "blackman", "rectangular"):
        tensors[f"spectrogram.{kind}"] = spectrogram(z, kind)
    tensors["decibels"] = 10 * numpy.log10(numpy.maximum(FLOOR, tensors["spectrogram.hann"]))
    edges = numpy.linspace(-RANGE, RANGE, CELLS + 1)
    tensors["constellation"] = numpy.histogram2d(z.imag * 2, z.real * 2, bins=(edges, edges))[0]
    for p, q in RATIOS:
        tensors[f"resample.{p}_{q}"] = torchaudio.functional.resample(
            torch.from_numpy(x).double(), q, p, lowpass_filter_width=64, rolloff=0.9475937,
            resampling_method="sinc_interp_kaiser", beta=14.769656459379492).numpy()
    return {name: torch.from_numpy(numpy.ascontiguousarray(value, dtype=numpy.float32))
            for name, value in tensors.items()}


def main():
    tensors = vectors()
    about = (
        f"script tools/testgen/iq_vectors.py; versions numpy {numpy.__version__}, torchaudio {torchaudio.__version__}, "
        f"safetensors {safetensors.__version__}; seed {SEED}; command tools/testgen/reference_vectors"
    )
    safetensors.torch.save_file(tensors, f"{sys.argv[1]}/iq.safetensors", metadata={"generated_by": about})
    print("iq", len(tensors), "tensors")


if __name__ == "__main__":
    main()
