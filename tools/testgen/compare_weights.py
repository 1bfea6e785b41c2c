#!/usr/bin/env python3
"""Compares the tensors of two files bit by bit, each .safetensors or .pt (its state dict, or the one under "model").

usage: compare_weights.py A B     (in the chroot of tools/testgen/reference_vectors: it needs PyTorch and safetensors)

Exit 0 when every tensor of B is in A with the same shape, type and values. What only A has is listed.
Proof that what `amae export` writes is for other programs what it is for amae; see docs/weights.md.
"""

import sys

import safetensors.torch
import torch


def read(path):
    if path.endswith(".safetensors"):
        return safetensors.torch.load_file(path)
    state = torch.load(path, weights_only=False)
    state = state.get("model", state)
    return {name: value.detach() for name, value in state.items() if isinstance(value, torch.Tensor)}


def main():
    a, b = read(sys.argv[1]), read(sys.argv[2])
    wrong = [name for name, value in b.items()
             if name not in a or a[name].dtype != value.dtype or not torch.equal(a[name], value)]
    print(f"{len(b) - len(wrong)} of {len(b)} tensors are equal ({sum(v.numel() for v in b.values())} values); "
          f"only in {sys.argv[1]}: {sorted(a.keys() - b.keys())}")
    if wrong or not b:
        sys.exit(f"different: {wrong}")


if __name__ == "__main__":
    main()
