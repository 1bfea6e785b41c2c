#!/usr/bin/env python3
"""Writes tests/vectors/faiss.safetensors: vectors, and what FAISS's exact indexes find among them.

usage: faiss_vectors.py OUTPUT_FOLDER     (run it through tools/testgen/reference_vectors)

Tensors: "gallery" [500, 16] and "queries" [20, 16] float32, and for each metric M of ip, l2 and cosine "ids_M" [20, 10]
int64 and "scores_M" [20, 10] float32, best first: inner products, squared Euclidean distances, and inner products of
rows of length 1 (faiss.normalize_L2). Made by Python's FAISS, apart from the one that amae links.
"""

import sys

import faiss
import numpy
import safetensors
import safetensors.numpy

SEED = 20251123
GALLERY, QUERIES, DIMENSION, NEIGHBOURS = 500, 20, 16, 10
CLOSEST = 1e-5  # relative: neighbours nearer to each other than this could come in either order


def dataset():
    random = numpy.random.default_rng(SEED)
    x = random.normal(size=(GALLERY + QUERIES, DIMENSION)) + random.normal(size=DIMENSION)  # not around zero
    x *= random.uniform(0.3, 3, size=(len(x), 1))  # so that the metrics disagree
    return x[:GALLERY].astype(numpy.float32), x[GALLERY:].astype(numpy.float32)


def found(index, gallery, queries):
    index.add(gallery)
    scores, ids = index.search(queries, NEIGHBOURS + 1)
    gaps = numpy.abs(numpy.diff(scores, axis=1)) / numpy.abs(scores[:, 1:])
    assert gaps.min() > CLOSEST, f"two neighbours are as near: {gaps.min()}; take another seed"
    return numpy.ascontiguousarray(scores[:, :NEIGHBOURS]), numpy.ascontiguousarray(ids[:, :NEIGHBOURS])


def vectors():
    gallery, queries = dataset()
    unit_gallery, unit_queries = gallery.copy(), queries.copy()
    faiss.normalize_L2(unit_gallery)
    faiss.normalize_L2(unit_queries)
    tensors = {"gallery": gallery, "queries": queries}
    for name, index, rows, asked in [("ip", faiss.IndexFlatIP(DIMENSION), gallery, queries),
                                     ("l2", faiss.IndexFlatL2(DIMENSION), gallery, queries),
                                     ("cosine", faiss.IndexFlatIP(DIMENSION), unit_gallery, unit_queries)]:
        tensors[f"scores_{name}"], tensors[f"ids_{name}"] = found(index, rows, asked)
    return tensors


def main():
    tensors = vectors()
    about = (
        f"script tools/testgen/faiss_vectors.py; versions faiss {faiss.__version__}, numpy {numpy.__version__}, "
        f"safetensors {safetensors.__version__}; seed {SEED}; command tools/testgen/reference_vectors"
    )
    safetensors.numpy.save_file(tensors, f"{sys.argv[1]}/faiss.safetensors", metadata={"generated_by": about})
    print("faiss", len(tensors), "tensors")


if __name__ == "__main__":
    main()
