#!/usr/bin/env python3
"""Writes tests/vectors/torch/: files of PyTorch's own torch.save, good and bad, and what is in them.

usage: torch_file_vectors.py OUTPUT_FOLDER     (run it through tools/testgen/reference_vectors)

NAME.pt are what io/torch_file.h must read, evil_*.pt, legacy.pt and script.pt what it must refuse; values.safetensors
holds the tensors of all good files as "NAME/TENSOR". Nothing here is loaded again: the evil files stay asleep.
"""

import argparse
import collections
import os
import pathlib
import sys

import numpy
import safetensors
import safetensors.torch
import torch

SEED = 20251120
DTYPES = {"f64": torch.float64, "f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16, "i64": torch.int64,
          "i32": torch.int32, "i16": torch.int16, "i8": torch.int8, "u8": torch.uint8, "bool": torch.bool}


class Evil:
    """Pickles as a call of `function`."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def good_files(generator):
    """{file: (what is saved, {tensor name as read: value}, keyword arguments of torch.save)}"""

    def random(*shape):
        return torch.randn(*shape, generator=generator)

    files = {}
    x = 10 * random(3, 5)
    plain = {name: (x > 0) if dtype is torch.bool else x.abs().to(dtype) if dtype is torch.uint8 else x.to(dtype)
             for name, dtype in DTYPES.items()}
    plain |= {"scalar": torch.tensor(2.5), "empty": torch.empty(0, 7), "name \"x\" \u00e9": random(2)}
    files["plain"] = plain, plain, {}

    ordered = collections.OrderedDict((f"layer{i}.weight", random(2, 3).to(dtype))
                                      for i, dtype in enumerate((torch.float32, torch.float16, torch.bfloat16)))
    files["ordered"] = ordered, ordered, {}
    files["protocol4"] = ordered, ordered, {"pickle_protocol": 4}

    module = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3), torch.nn.Conv2d(1, 2, 3, bias=False))
    module[1](module[0](random(6, 4)))  # statistics of its own
    state = module.state_dict()
    files["module"] = state, dict(state), {}
    files["parameters"] = dict(module.named_parameters()), dict(module.named_parameters()), {}
    parallel = {"module." + name: value for name, value in state.items()}
    files["parallel"] = {"state_dict": parallel}, dict(state), {}

    optimizer = torch.optim.AdamW(module[0].parameters())
    module[0](random(2, 4)).sum().backward()
    optimizer.step()
    state = {name: value.clone() for name, value in module.state_dict().items()}
    args = argparse.Namespace(lr=1e-3, out=pathlib.PosixPath("/tmp/out"), layers=[1, 2], flags={"amp": True, "x": None})
    nested = {"model": state, "optimizer": optimizer.state_dict(), "epoch": 3, "args": args, "best": numpy.float64(0.5),
              "seen": {1, 2}, "big": 1 << 80, "note": "\u00fc" * 300, "milestones": collections.Counter([1, 1])}
    files["nested"] = nested, state, {}

    base = random(6, 8)
    views = {"base": base, "turned": base.t(), "rows": base[2:4], "every_other": base[::2, 1::3], "last": base[5, 7],
             "expanded": base[0, :3].expand(2, 3), "tied": base, "channels_last": random(1, 3, 2, 2).contiguous(
                 memory_format=torch.channels_last), "parameter": torch.nn.Parameter(base[1:3, ::4])}
    files["views"] = views, views, {}
    return files


def bad_files(generator):
    weights = {"weight": torch.randn(2, 2, generator=generator)}
    command = "echo this must never be seen"
    nested = {"model": weights, "args": argparse.Namespace(hook=[{"deep": Evil(getattr, Evil(__import__, "os"), "system")}])}
    return {"evil_global": (dict(weights, x=Evil(os.system, command)), {}),
            "evil_stack_global": (dict(weights, x=Evil(eval, command)), {"pickle_protocol": 4}),
            "evil_nested": (nested, {}),
            "legacy": (weights, {"_use_new_zipfile_serialization": False})}


def main():
    folder = pathlib.Path(sys.argv[1]) / "torch"
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(SEED)
    generator = torch.Generator().manual_seed(SEED)
    values = {}
    for name, (content, tensors, options) in good_files(generator).items():
        torch.save(content, folder / f"{name}.pt", **options)
        values |= {f"{name}/{key}": value.detach().contiguous().clone() for key, value in tensors.items()}
    for name, (content, options) in bad_files(generator).items():
        torch.save(content, folder / f"{name}.pt", **options)
    torch.jit.script(torch.nn.Linear(2, 2)).save(folder / "script.pt")
    about = (f"script tools/testgen/torch_file_vectors.py; versions torch {torch.__version__}, numpy {numpy.__version__}, "
             f"safetensors {safetensors.__version__}; seed {SEED}; command tools/testgen/reference_vectors")
    safetensors.torch.save_file(values, folder / "values.safetensors", metadata={"generated_by": about})
    print("torch", len(list(folder.iterdir())), "files", len(values), "tensors")


if __name__ == "__main__":
    main()
