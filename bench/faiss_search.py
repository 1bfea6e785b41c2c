"""The other half of bench/faiss_pairs: Python's faiss on the same vectors.

    faiss_search.py build  EMBEDDINGS.npy FACTORY METRIC EF_CONSTRUCTION OUT.faiss   prints seconds of train + add as JSON
    faiss_search.py query  INDEX.faiss QUERIES.npy EFFORT SECONDS             prints queries a second as JSON
    faiss_search.py hits   INDEX.faiss QUERIES.npy EFFORT OUT.npy             ids of the ten nearest
"""
import json
import sys
import time

import faiss
import numpy as np


def rate(index, queries, batch, seconds):
    begin, done, at = time.perf_counter(), 0, 0
    while time.perf_counter() - begin < seconds:
        index.search(queries[at:at + batch], 10)
        done += batch
        at = (at + batch) % (len(queries) - batch + 1)
    return done / (time.perf_counter() - begin)


def opened(path, effort):
    index = faiss.read_index(path)
    inner = index.index if isinstance(index, faiss.IndexIDMap) else index
    inner = faiss.downcast_index(inner)
    if hasattr(inner, "hnsw"):
        inner.hnsw.efSearch = effort
    if hasattr(inner, "nprobe"):
        inner.nprobe = effort
    return index


def main():
    what = sys.argv[1]
    if what == "build":
        x = np.load(sys.argv[2])
        index = faiss.index_factory(x.shape[1], sys.argv[3],
                                    faiss.METRIC_L2 if sys.argv[4] == "l2" else faiss.METRIC_INNER_PRODUCT)
        if hasattr(faiss.downcast_index(index), "hnsw"):
            faiss.downcast_index(index).hnsw.efConstruction = int(sys.argv[5])
        begin = time.perf_counter()
        if not index.is_trained:
            # As amae: at most 256 points a cluster, which is also what faiss itself keeps.
            most = max(100_000, 256 * index.nlist)
            rows = np.sort(np.random.default_rng(0).permutation(len(x))[:most])
            index.train(x[rows])
        trained = time.perf_counter()
        index.add(x)
        added = time.perf_counter()
        faiss.write_index(index, sys.argv[6])
        print(json.dumps({"train_s": trained - begin, "add_s": added - trained}))
        return
    index = opened(sys.argv[2], int(sys.argv[4]))
    queries = np.load(sys.argv[3])
    if what == "hits":
        np.save(sys.argv[5], index.search(queries[:1000], 10)[1])
        return
    seconds = float(sys.argv[5])
    rate(index, queries, 256, 1)
    print(json.dumps({"batch_1": rate(index, queries, 1, seconds), "batch_256": rate(index, queries, 256, seconds)}))


main()
