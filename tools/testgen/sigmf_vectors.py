#!/usr/bin/env python3
"""Writes tests/vectors/sigmf/: SigMF recordings and archives, and the samples that are in them.

usage: sigmf_vectors.py OUTPUT_FOLDER     (run it through tools/testgen/reference_vectors)

Put together by the text of the standard (The Signal Metadata Format 1.2, sections "SigMF File Types" and "SigMF Dataset
Format") with NumPy and tar, without any library for SigMF. values.safetensors holds the samples of every recording as
float32 [2, N] (I, Q) or [1, N], integers as fractions of full scale: signed x / 2^(bits - 1), unsigned that less 1.
"""

import argparse
import hashlib
import json
import pathlib
import subprocess
import tempfile

import numpy
import safetensors
import safetensors.numpy

SEED = 20251121
KINDS = {"f": (16, 32, 64), "i": (8, 16, 32, 64), "u": (8, 16, 32, 64)}


def datatypes():
    """Every name of the grammar (r|c)(f|i|u)(8|16|32|64)(_le|_be)."""
    for letter in "cr":
        for kind, sizes in KINDS.items():
            for bits in sizes:
                for end in ("",) if bits == 8 else ("_le", "_be"):
                    yield f"{letter}{kind}{bits}{end}"


def numpy_type(datatype):
    order = ">" if datatype.endswith("_be") else "<"
    return numpy.dtype(order + datatype[1] + str(int(datatype[2:].split("_")[0]) // 8))


def numbers(generator, dtype, shape):
    """Random numbers of a type, its extremes among them."""
    if dtype.kind == "f":
        return generator.standard_normal(shape).astype(dtype)
    limits = numpy.iinfo(dtype)
    values = generator.integers(limits.min, limits.max, shape, dtype=dtype.newbyteorder("="), endpoint=True)
    values.flat[:3] = limits.min, limits.max, limits.max // 2 + 1
    return values.astype(dtype)


def fractions(values):
    """As float32, integers as fractions of full scale; exact but for the last rounding."""
    if values.dtype.kind == "f":
        return values.astype(numpy.float32)
    half = 2 ** (8 * values.dtype.itemsize - 1)
    less = half if values.dtype.kind == "u" else 0
    exact = [(int(v) - less) / half for v in values.flat]  # Python's integers divide with one rounding, to double
    return numpy.array(exact, numpy.float64).reshape(values.shape).astype(numpy.float32)


class Recordings:
    """A folder that recordings are written to, and their samples."""

    def __init__(self, folder, values):
        self.folder, self.values = folder, values
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, name, datatype, values, captures=None, annotations=(), data=None, **fields):
        """values [N, channels] or, for complex types, [N, channels, 2]."""
        data = values.tobytes() if data is None else data
        meta = {"global": {"core:datatype": datatype, "core:version": "1.2.5",
                           **{"core:" + key: value for key, value in fields.items()}},
                "captures": [{"core:sample_start": 0}] if captures is None else captures,
                "annotations": list(annotations)}
        file = fields.get("dataset", name + ".sigmf-data")
        (self.folder / file).write_bytes(data)
        if fields.get("sha512") == "right":
            meta["global"]["core:sha512"] = hashlib.sha512(data).hexdigest()
        (self.folder / (name + ".sigmf-meta")).write_text(json.dumps(meta, indent=1))
        samples = fractions(values)
        self.values[name] = numpy.ascontiguousarray(
            samples[:, 0, :].T if datatype[0] == "c" else samples[:, 0][None])
        for channel in range(1, values.shape[1]):
            self.values[f"{name}/{channel}"] = numpy.ascontiguousarray(
                samples[:, channel, :].T if datatype[0] == "c" else samples[:, channel][None])


def draw(generator, datatype, count, channels=1):
    shape = (count, channels, 2) if datatype[0] == "c" else (count, channels)
    return numbers(generator, numpy_type(datatype), shape)


def tar(archive, folder, names, form):
    """One archive by tar itself, the same bytes whenever and by whomever it is run."""
    subprocess.run(["tar", "--format=" + form, "--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner",
                    "--mode=u=rw,go=r", *(["--pax-option=delete=atime,delete=ctime"] if form == "posix" else []),
                    "-b1", "-cf", str(archive), "-C", str(folder), *names], check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=pathlib.Path)
    out = parser.parse_args().output / "sigmf"
    out.mkdir(parents=True, exist_ok=True)
    generator = numpy.random.default_rng(SEED)
    values = {}

    with tempfile.TemporaryDirectory() as scratch:
        types = Recordings(pathlib.Path(scratch) / "types", values)
        for datatype in datatypes():
            types.write(datatype, datatype, draw(generator, datatype, 5))
        names = sorted(path.name for path in types.folder.iterdir())
        tar(out / "types.sigmf", types.folder, names, "ustar")

        # One recording with a name of more than 100 characters, in each of tar's formats.
        long = Recordings(pathlib.Path(scratch) / "long", values)
        name = "recording-" + "of-a-long-name-" * 7 + "end"
        long.write(name, "ci16_le", draw(generator, "ci16_le", 7), sample_rate=1e6)
        (long.folder / "README.txt").write_text("Not a recording.\n")
        for form in ("gnu", "posix"):
            tar(out / f"long_{form}.sigmf", pathlib.Path(scratch), ["long"], form)

    plain = Recordings(out / "plain", values)
    plain.write("annotated", "cf32_le", draw(generator, "cf32_le", 100), sample_rate=200e3, sha512="right",
                description="two captures", hw="NumPy",
                captures=[{"core:sample_start": 0, "core:frequency": 915e6, "core:datetime": "2025-11-21T00:00:00Z"},
                          {"core:sample_start": 60, "core:frequency": 433.5e6}],
                annotations=[
                    {"core:sample_start": 0, "core:sample_count": 20, "core:label": "BPSK", "test:snr": 10,
                     "core:freq_lower_edge": 914.9e6, "core:freq_upper_edge": 915.1e6},
                    {"core:sample_start": 10, "core:sample_count": 32, "core:label": "QPSK", "test:snr": -4.5,
                     "signal:detail": {"mod_class": "psk", "order": 4}, "core:comment": "overlaps, \u00e9"},
                    {"core:sample_start": 50, "core:label": "BPSK", "test:checked": True},
                    {"core:sample_start": 70, "core:label": "noise", "test:snr": -20, "core:sample_count": 30}])
    plain.write("offset", "ru8", draw(generator, "ru8", 30), sample_rate=8000, offset=1000,
                captures=[{"core:sample_start": 1000}],
                annotations=[{"core:sample_start": 1010, "core:sample_count": 5, "core:label": "tone"}])
    plain.write("channels", "ci16_be", draw(generator, "ci16_be", 12, channels=3), num_channels=3)

    # A Non-Conforming Dataset as in the standard's example for core:header_bytes: headers before both captures.
    samples = draw(generator, "cu8", 40)
    raw = samples.tobytes()
    plain.write("headers", "cu8", samples, data=b"HEAD" + raw[:50] + b"HEADER" + raw[50:] + b"TAIL!", dataset="headers.dat",
                trailing_bytes=5, captures=[{"core:sample_start": 0, "core:header_bytes": 4},
                                            {"core:sample_start": 25, "core:header_bytes": 6},
                                            {"core:sample_start": 4000, "core:header_bytes": 9}])

    version = subprocess.run(["tar", "--version"], check=True, capture_output=True, text=True).stdout.splitlines()[0]
    about = (f"script tools/testgen/sigmf_vectors.py; versions numpy {numpy.__version__}, safetensors "
             f"{safetensors.__version__}, {version}; seed {SEED}; command tools/testgen/reference_vectors")
    safetensors.numpy.save_file(values, out / "values.safetensors", {"generated_by": about})
    print("sigmf", len(values), "tensors")


if __name__ == "__main__":
    main()
