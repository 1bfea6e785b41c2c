#!/usr/bin/env python3
"""Writes tests/vectors/retrieval.safetensors: vectors with labels, and how well they find each other.

usage: retrieval_vectors.py OUTPUT_FOLDER     (run it through tools/testgen/reference_vectors)

Tensors: "queries" [40, 8] and "gallery" [160, 8] float32, "query_labels" and "gallery_labels" int64 with some -1
(none), and one float64 for each figure of named() of framework/index/retrieval.h, besides "silhouette", "alignment" and
"uniformity", and "counted", the queries with a label. All figures are computed in float64, one query after the other.
"""

import sys

import numpy
import safetensors
import safetensors.numpy
import scipy
import sklearn
from scipy.spatial.distance import pdist
from sklearn.metrics import average_precision_score, silhouette_score

SEED = 20251122
QUERIES, GALLERY, DIMENSION, CLASSES = 40, 160, 8, 6
NOISE = 1.4  # classes overlap, so that no figure is 0 or 1
NEIGHBOURS = 20


def unit(x):
    return x / numpy.linalg.norm(x, axis=1, keepdims=True)


def dataset():
    random = numpy.random.default_rng(SEED)
    centres = unit(random.normal(size=(CLASSES, DIMENSION)))
    labels = random.choice(CLASSES, size=QUERIES + GALLERY, p=[0.3, 0.25, 0.2, 0.15, 0.06, 0.04])
    x = centres[labels] + NOISE * random.normal(size=(len(labels), DIMENSION)) / numpy.sqrt(DIMENSION)
    x *= random.uniform(0.2, 5, size=(len(labels), 1))  # lengths do not matter
    labels[random.choice(len(labels), size=15, replace=False)] = -1
    return x.astype(numpy.float32), labels.astype(numpy.int64)


def figures_of_query(similarity, label, labels):
    order = numpy.argsort(-similarity, kind="stable")
    hits = labels[order] == label
    relevant = int(hits.sum())
    ten = hits[:10]
    # Scikit-learn divides by the hits in the list, average precision at 10 by the hits that there could be.
    descending = numpy.arange(10, 0, -1)
    ap10 = average_precision_score(ten, descending) * ten.sum() / min(10, relevant) if ten.any() else 0.0
    precision = [hits[: i + 1].mean() for i in range(relevant)]
    votes = numpy.zeros(CLASSES)
    for row in order[:NEIGHBOURS]:
        if labels[row] >= 0:
            votes[labels[row]] += max(similarity[row], 0)
    return {"hit@1": float(hits[0]), "hit@5": float(hits[:5].any()), "hit@10": float(ten.any()),
            "precision@10": ten.mean(), "map@10": ap10,
            "map@r": sum(p for p, hit in zip(precision, hits) if hit) / relevant,
            "mrr@10": 1 / (1 + numpy.argmax(ten)) if ten.any() else 0.0,
            "knn_accuracy": float(numpy.argmax(votes) == label)}


def vectors():
    x, labels = dataset()
    exact = x.astype(numpy.float64)
    queries, gallery = unit(exact[:QUERIES]), unit(exact[QUERIES:])
    query_labels, gallery_labels = labels[:QUERIES], labels[QUERIES:]
    figures = [figures_of_query(gallery @ q, label, gallery_labels)
               for q, label in zip(queries, query_labels) if label >= 0]
    expected = {name: numpy.mean([f[name] for f in figures]) for name in figures[0]}
    expected["counted"] = float(len(figures))
    known = labels >= 0
    expected["silhouette"] = silhouette_score(exact[known], labels[known], metric="cosine")
    by_class = [pdist(unit(exact[labels == c])) for c in range(CLASSES)]
    expected["alignment"] = numpy.mean(numpy.concatenate(by_class) ** 2)
    expected["uniformity"] = numpy.log(numpy.mean(numpy.exp(-2 * pdist(unit(exact[known])) ** 2)))
    tensors = {"queries": x[:QUERIES], "gallery": x[QUERIES:], "query_labels": query_labels,
               "gallery_labels": gallery_labels}
    tensors.update({name: numpy.array(value, dtype=numpy.float64) for name, value in expected.items()})
    return {name: numpy.ascontiguousarray(value).reshape(value.shape) for name, value in tensors.items()}


def main():
    tensors = vectors()
    about = (
        f"script tools/testgen/retrieval_vectors.py; versions numpy {numpy.__version__}, scikit-learn "
        f"{sklearn.__version__}, scipy {scipy.__version__}, safetensors {safetensors.__version__}; seed {SEED}; "
        f"command tools/testgen/reference_vectors"
    )
    safetensors.numpy.save_file(tensors, f"{sys.argv[1]}/retrieval.safetensors", metadata={"generated_by": about})
    print("retrieval", len(tensors), "tensors")


if __name__ == "__main__":
    main()
