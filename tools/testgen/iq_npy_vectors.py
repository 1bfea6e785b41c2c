#!/usr/bin/env python3
"""Writes tests/vectors/iq_npy/: arrays of IQ frames as numpy.save and numpy.savez write them, and the samples in them.

usage: iq_npy_vectors.py OUTPUT_FOLDER     (run it through tools/testgen/reference_vectors)

types.npz holds an array [N, 2, L], or complex [N, L], of every type and byte order; NAME.npy the cases that differ in
shape. values.safetensors holds the frames of each as float32 [N, 2, L], integers as fractions of full scale: signed
x / 2^(bits - 1), unsigned that less 1.
"""

import argparse
import pathlib

import numpy
import safetensors
import safetensors.numpy

from sigmf_vectors import fractions, numbers

SEED = 20251122
FRAMES, SAMPLES = 3, 5


def planes(array):
    """[N, 2, L] float32 of complex [N, L] or real [N, 2, L]."""
    if array.dtype.kind == "c":
        array = numpy.stack([array.real, array.imag], 1)
    return numpy.ascontiguousarray(fractions(array))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=pathlib.Path)
    out = parser.parse_args().output / "iq_npy"
    out.mkdir(parents=True, exist_ok=True)
    generator = numpy.random.default_rng(SEED)

    arrays = {}
    for kind, sizes in {"f": (2, 4, 8), "c": (8, 16), "i": (1, 2, 4, 8), "u": (1, 2, 4, 8)}.items():
        for size in sizes:
            for order in "<" if size == 1 else "<>":
                dtype = numpy.dtype(f"{order}{kind}{size}")
                if kind == "c":
                    parts = generator.standard_normal((2, FRAMES, SAMPLES))
                    array = (parts[0] + 1j * parts[1]).astype(dtype)
                else:
                    array = numbers(generator, dtype, (FRAMES, 2, SAMPLES))
                arrays[f"{kind}{size}{'_be' if order == '>' else ''}"] = array
    numpy.savez(out / "types.npz", **arrays)
    values = {name: planes(array) for name, array in arrays.items()}

    frames = generator.standard_normal((4, 2, 6)).astype(numpy.float32)
    values["frames"] = frames
    numpy.save(out / "first.npy", frames)
    numpy.save(out / "last.npy", numpy.ascontiguousarray(frames.transpose(0, 2, 1)).astype(">f4"))
    numpy.save(out / "complex.npy", frames[:, 0] + 1j * frames[:, 1])
    numpy.save(out / "two.npy", frames[:, :, :2])  # [4, 2, 2]: either
    numpy.save(out / "fortran.npy", numpy.asfortranarray(frames))
    numpy.savez_compressed(out / "compressed.npz", frames)

    about = (f"script tools/testgen/iq_npy_vectors.py; versions numpy {numpy.__version__}, safetensors "
             f"{safetensors.__version__}; seed {SEED}; command tools/testgen/reference_vectors")
    safetensors.numpy.save_file(values, out / "values.safetensors", {"generated_by": about})
    print("iq_npy", len(values), "tensors")


if __name__ == "__main__":
    main()
