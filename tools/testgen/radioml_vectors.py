#!/usr/bin/env python3
"""Writes tests/vectors/radioml/: small files of the forms of RML2016.10a and RML2018.01A, and the numbers in them.

usage: radioml_vectors.py OUTPUT_FOLDER     (run it through tools/testgen/reference_vectors)

protocolN.pkl are Python 3's own pickles; python2_protocolN.pkl are put together here opcode by opcode, as cPickle of
Python 2 wrote them (RML2016.10a_dict.pkl is such a file of protocol 0), and checked by reading them back. gold*.h5 are
h5py's. values.safetensors holds the frames: "MODULATION/SNR" [N, 2, L] of the pickles, "gold" [N, 2, L] of the others.
"""

import argparse
import pathlib
import pickle
import struct
import sys

import h5py
import numpy
import safetensors.numpy

SEED = 20161
MODULATIONS = ("QPSK", "8PSK")
SNRS_DB = (10, -4)
FRAMES, SAMPLES = 3, 16


def frames_of(generator, count, samples):
    x = generator.standard_normal((count, 2, samples)).astype(numpy.float32)
    x[0, 0, :4] = (0, -0.0, 1e-38, -1e-44)  # bytes that need every kind of escape
    x[0, 1, :3] = numpy.frombuffer(b"'\n\\\t\r\"'\x7f~ \x01B", "<f4")
    return x


class Python2Pickler:
    """What cPickle of Python 2 wrote for a dict of (str, int) to arrays."""

    def __init__(self, protocol):
        self.protocol, self.memo, self.out = protocol, {}, b""

    def dump(self, data):
        if self.protocol == 2:
            self.out += b"\x80\x02"
        self.out += b"(d" if self.protocol == 0 else b"}"
        self.put()
        self.out += b"" if self.protocol == 0 else b"("
        for (modulation, snr_db), array in data.items():
            self.mark()
            self.text(modulation)
            self.integer(snr_db)
            self.tuple(2)
            self.array(array)
            if self.protocol == 0:
                self.out += b"s"
        self.out += b"." if self.protocol == 0 else b"u."
        return self.out

    def put(self):
        number = len(self.memo) + 1
        self.memo[number] = None
        self.out += b"p%d\n" % number if self.protocol == 0 else b"q" + bytes([number])

    def mark(self):
        if self.protocol < 2:
            self.out += b"("

    def tuple(self, count):
        self.out += b"t" if self.protocol < 2 else bytes([0x84 + count])
        self.put()

    def long_tuple(self):
        self.out += b"t"
        self.put()

    def text(self, value):
        raw = value if isinstance(value, bytes) else value.encode()
        if self.protocol == 0:
            self.out += b"S" + repr(raw)[1:].encode() + b"\n"
        elif len(raw) < 256:
            self.out += b"U" + bytes([len(raw)]) + raw
        else:
            self.out += b"T" + struct.pack("<i", len(raw)) + raw
        self.put()

    def integer(self, value):
        if self.protocol == 0:
            self.out += b"I%d\n" % value
        elif 0 <= value < 256:
            self.out += b"K" + bytes([value])
        else:
            self.out += b"J" + struct.pack("<i", value)

    def name(self, module, name):
        self.out += f"c{module}\n{name}\n".encode()
        self.put()

    def array(self, array):
        self.name("numpy.core.multiarray", "_reconstruct")
        self.mark()
        self.name("numpy", "ndarray")
        self.mark()
        self.integer(0)
        self.tuple(1)
        self.text("b")
        self.tuple(3)
        self.out += b"R"
        self.put()
        self.out += b"("
        self.integer(1)
        self.mark()
        for size in array.shape:
            self.integer(size)
        self.tuple(3)
        self.name("numpy", "dtype")
        self.mark()
        self.text("f4")
        self.integer(0)
        self.integer(1)
        self.tuple(3)
        self.out += b"R"
        self.put()
        self.out += b"("
        self.integer(3)
        self.text("<")
        self.out += b"NNN"
        for value in (-1, -1, 0):
            self.integer(value)
        self.long_tuple()
        self.out += b"bI00\n" if self.protocol < 2 else b"b\x89"
        self.text(array.tobytes())
        self.long_tuple()
        self.out += b"b"


def write_pickles(folder, data):
    def dump(name, content, protocol):
        (folder / f"{name}.pkl").write_bytes(pickle.dumps(content, protocol=protocol))

    for protocol in range(6):
        dump(f"protocol{protocol}", data, protocol)
    for protocol in range(3):
        raw = Python2Pickler(protocol).dump(data)
        back = pickle.loads(raw, encoding="latin1")
        assert back.keys() == data.keys() and all(numpy.array_equal(back[key], data[key]) for key in data)
        (folder / f"python2_protocol{protocol}.pkl").write_bytes(raw)
    dump("bytes_keys", {(name.encode(), snr_db): x for (name, snr_db), x in data.items()}, 3)
    dump("scalar_keys", {(name, numpy.int64(snr_db)): x for (name, snr_db), x in data.items()}, 2)
    dump("big_endian", {key: x.astype(">f4") for key, x in data.items()}, 0)
    dump("float64", {key: x.astype(numpy.float64) for key, x in data.items()}, 4)
    for protocol in (2, 5):
        dump(f"fortran_protocol{protocol}", {key: numpy.asfortranarray(x) for key, x in data.items()}, protocol)
    # NumPy before 2.0 had other names for its core.
    old = pickle.dumps(data, protocol=2).replace(b"numpy._core", b"numpy.core")
    assert b"numpy._core" not in old and len(pickle.loads(old)) == len(data)
    (folder / "numpy1.pkl").write_bytes(old)


def write_hdf5(folder, generator):
    classes, levels = 24, (-20, 30)
    rows = classes * len(levels)
    x = frames_of(generator, rows, SAMPLES)
    label = numpy.repeat(numpy.arange(classes), len(levels))
    snr_db = numpy.tile(numpy.array(levels), classes)[:, None]
    with h5py.File(folder / "gold.h5", "w") as file:
        file["X"] = x.transpose(0, 2, 1)
        file["Y"] = numpy.eye(classes, dtype=numpy.int64)[label]
        file["Z"] = snr_db.astype(numpy.int64)
    with h5py.File(folder / "gold_chunked.h5", "w", libver="latest") as file:
        file.create_dataset("X", data=x.astype(">f8"), chunks=(10, 2, SAMPLES), compression="gzip", shuffle=True,
                            fletcher32=True)
        file.create_dataset("Y", data=numpy.eye(classes, dtype=numpy.uint8)[label], chunks=True, compression="gzip")
        file.create_dataset("Z", data=snr_db[:, 0].astype(">i2"), chunks=(7,))
    return x


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=pathlib.Path)
    folder = parser.parse_args().output / "radioml"
    folder.mkdir(parents=True, exist_ok=True)
    generator = numpy.random.default_rng(SEED)
    data = {(name, snr_db): frames_of(generator, FRAMES, SAMPLES) for name in MODULATIONS for snr_db in SNRS_DB}
    write_pickles(folder, data)
    values = {f"{name}/{snr_db}": x for (name, snr_db), x in data.items()}
    values["gold"] = write_hdf5(folder, generator)
    stamp = (f"tools/testgen/radioml_vectors.py: Python {sys.version.split()[0]}, NumPy {numpy.__version__}, "
             f"h5py {h5py.__version__} with HDF5 {h5py.version.hdf5_version}, seed {SEED}; "
             "command: tools/testgen/reference_vectors")
    safetensors.numpy.save_file(values, folder / "values.safetensors", {"generated_by": stamp})


if __name__ == "__main__":
    main()
