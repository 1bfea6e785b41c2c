#!/usr/bin/env python3
"""Writes tests/vectors/audiomae_{corrected,compat,vit}.safetensors: losses, latents and gradients of small masked autoencoders.

usage: audiomae_vectors.py OUTPUT_FOLDER     (run it through tools/testgen/reference_vectors)

The equations of AudioMAE++ (arXiv:2507.10464) and MAE (arXiv:2111.06377) in plain PyTorch, one statement for each line
of the paper and as unlike plugins/models/audiomae as may be: patches are cut in loops, attention is written out, rotary
positions are products of complex numbers. All in float32 but for the angles.

Each file holds "x", "kept", "weight.NAME", and for each case (plain, rope) "CASE.losses", "CASE.features",
"CASE.prediction", "CASE.pooled" (every token visible, mean pooling) and "CASE.grad.NAME", the gradient of the mean of
losses. "CASE.normalized_losses" has the per-patch-normalised target.
"""

import math
import sys

import safetensors.torch
import torch

SEED = 20251121
BATCH, CHANNELS, BINS, FRAMES = 2, 2, 12, 11  # the last frame fills no patch
PATCH_TIME, PATCH_FREQUENCY = 2, 4
STEPS, BANDS = FRAMES // PATCH_TIME, BINS // PATCH_FREQUENCY
TOKENS, KEPT = STEPS * BANDS, 6
DIM, DEPTH, HEADS, DECODER_DIM, DECODER_DEPTH, DECODER_HEADS = 16, 2, 2, 8, 1, 1
ROPE_BASE = 100.0
VALUES = CHANNELS * PATCH_TIME * PATCH_FREQUENCY


def block_shapes(prefix, kind, dim):
    shapes = {}

    def linear(name, rows, columns):
        shapes[f"{prefix}.{name}.weight"] = (rows, columns)
        shapes[f"{prefix}.{name}.bias"] = (rows,)

    def norm(name, width):
        shapes[f"{prefix}.{name}.weight"] = (width,)
        shapes[f"{prefix}.{name}.bias"] = (width,)

    linear("attn.qkv", 3 * dim, dim)
    linear("attn.proj", dim, dim)
    norm("norm1", dim)
    norm("norm2", dim)
    if kind == "vit":
        linear("mlp.fc1", 4 * dim, dim)
        linear("mlp.fc2", dim, 4 * dim)
    else:
        hidden = int(4 * dim * (2 / 3))
        norm("norm3", dim)
        linear("ffn1.fc1", 4 * dim, dim)
        linear("ffn1.fc2", dim, 4 * dim)
        linear("ffn2.value", hidden, dim)
        linear("ffn2.gate", hidden, dim)
        norm("ffn2.norm", hidden)
        linear("ffn2.proj", dim, hidden)
    return shapes


def make_weights(kind, generator):
    shapes = {
        "cls_token": (1, 1, DIM),
        "patch_embed.proj.weight": (DIM, CHANNELS, PATCH_TIME, PATCH_FREQUENCY),
        "patch_embed.proj.bias": (DIM,),
        "norm.weight": (DIM,),
        "norm.bias": (DIM,),
        "decoder.mask_token": (1, 1, DECODER_DIM),
        "decoder.decoder_embed.weight": (DECODER_DIM, DIM),
        "decoder.decoder_embed.bias": (DECODER_DIM,),
        "decoder.decoder_norm.weight": (DECODER_DIM,),
        "decoder.decoder_norm.bias": (DECODER_DIM,),
        "decoder.decoder_pred.weight": (VALUES, DECODER_DIM),
        "decoder.decoder_pred.bias": (VALUES,),
    }
    for i in range(DEPTH):
        shapes.update(block_shapes(f"blocks.{i}", kind, DIM))
    for i in range(DECODER_DEPTH):
        shapes.update(block_shapes(f"decoder.decoder_blocks.{i}", kind, DECODER_DIM))
    weights = {}
    for name, shape in sorted(shapes.items()):
        weight = torch.randn(shape, generator=generator)
        if "norm" in name and name.endswith("weight"):
            weights[name] = 1 + 0.2 * weight
        else:
            weights[name] = 0.25 * weight
    return weights


def layer_norm(x, weights, name):
    mean = x.mean(dim=-1, keepdim=True)
    variance = ((x - mean) ** 2).mean(dim=-1, keepdim=True)
    return (x - mean) / torch.sqrt(variance + 1e-6) * weights[name + ".weight"] + weights[name + ".bias"]


def linear(x, weights, name):
    return x @ weights[name + ".weight"].T + weights[name + ".bias"]


def silu(x):
    return x / (1 + torch.exp(-x))


def gelu(x):
    return 0.5 * x * (1 + torch.erf(x / math.sqrt(2)))


def rotate(x, coordinates):
    """x [N, d] of one head, coordinates: a (time, frequency) pair or None for each token."""
    rows = []
    quarter = x.shape[1] // 4
    for row, at in zip(x, coordinates):
        if at is None:
            rows.append(row)
            continue
        parts = []
        for axis in range(2):
            half = row[axis * 2 * quarter:(axis + 1) * 2 * quarter]
            rate = torch.tensor([ROPE_BASE ** (-i / quarter) for i in range(quarter)], dtype=torch.float64)
            turn = torch.polar(torch.ones_like(rate), at[axis] * rate).to(torch.complex64)
            turned = torch.complex(half[:quarter], half[quarter:]) * turn
            parts += [turned.real, turned.imag]
        rows.append(torch.cat(parts))
    return torch.stack(rows)


def attention(x, weights, name, heads, coordinates):
    """x [N, D] of one item."""
    dim = x.shape[1]
    width = dim // heads
    qkv = linear(x, weights, name + ".qkv")
    outputs = []
    for head in range(heads):
        part = slice(head * width, (head + 1) * width)
        q, k, v = qkv[:, :dim][:, part], qkv[:, dim:2 * dim][:, part], qkv[:, 2 * dim:][:, part]
        if coordinates is not None:
            q, k = rotate(q, coordinates), rotate(k, coordinates)
        scores = torch.exp(q @ k.T / math.sqrt(width))
        outputs.append(scores / scores.sum(dim=1, keepdim=True) @ v)
    return linear(torch.cat(outputs, dim=1), weights, name + ".proj")


def block(x, weights, name, form, heads, coordinates):
    def mlp(y, part, activation):
        return linear(activation(linear(y, weights, f"{name}.{part}.fc1")), weights, f"{name}.{part}.fc2")

    def swiglu(y):
        gated = silu(linear(y, weights, f"{name}.ffn2.gate")) * linear(y, weights, f"{name}.ffn2.value")
        return linear(layer_norm(gated, weights, f"{name}.ffn2.norm"), weights, f"{name}.ffn2.proj")

    def norm(y, number):
        return layer_norm(y, weights, f"{name}.norm{number}")

    if form == "vit":
        x = x + attention(norm(x, 1), weights, f"{name}.attn", heads, coordinates)
        return x + mlp(norm(x, 2), "mlp", gelu)
    x = x + 0.5 * mlp(norm(x, 1), "ffn1", silu)
    x = x + attention(norm(x, 2), weights, f"{name}.attn", heads, coordinates)
    return x + 0.5 * swiglu(norm(x, 3)) if form == "corrected" else x + swiglu(norm(x, 2))


def wave(coordinate, dim):
    rate = torch.tensor([10000 ** (-i / (dim // 2)) for i in range(dim // 2)], dtype=torch.float64)
    return torch.cat([torch.sin(coordinate * rate), torch.cos(coordinate * rate)])


def position(token, dim, flat):
    if flat:
        return wave(token, dim).float()
    return torch.cat([wave(token % BANDS, dim // 2), wave(token // BANDS, dim // 2)]).float()


def patches(item):
    """item [C, F, T] -> a [C, t, f] piece for each token."""
    pieces = []
    for step in range(STEPS):
        for band in range(BANDS):
            piece = item[:, band * PATCH_FREQUENCY:(band + 1) * PATCH_FREQUENCY,
                         step * PATCH_TIME:(step + 1) * PATCH_TIME]
            pieces.append(piece.permute(0, 2, 1))
    return pieces


def encode(pieces, visible, weights, form, rope):
    rows = [weights["cls_token"][0, 0]]
    for token in visible:
        product = (weights["patch_embed.proj.weight"] * pieces[token]).sum(dim=(1, 2, 3))
        rows.append(product + weights["patch_embed.proj.bias"] + position(token, DIM, flat=False))
    x = torch.stack(rows)
    coordinates = [None] + [(token // BANDS, token % BANDS) for token in visible] if rope else None
    for i in range(DEPTH):
        x = block(x, weights, f"blocks.{i}", form, HEADS, coordinates)
    return layer_norm(x, weights, "norm")


def decode(latents, visible, weights, form, rope):
    seen = linear(latents, weights, "decoder.decoder_embed")
    rows = [seen[0]]
    for token in range(TOKENS):
        row = seen[1 + visible.index(token)] if token in visible else weights["decoder.mask_token"][0, 0]
        rows.append(row + position(token, DECODER_DIM, flat=form == "compat"))
    x = torch.stack(rows)
    coordinates = [None] + [(token // BANDS, token % BANDS) for token in range(TOKENS)] if rope else None
    for i in range(DECODER_DEPTH):
        x = block(x, weights, f"decoder.decoder_blocks.{i}", form, DECODER_HEADS, coordinates)
    return linear(layer_norm(x, weights, "decoder.decoder_norm"), weights, "decoder.decoder_pred")[1:]


def run_item(item, visible, weights, form, rope):
    pieces = patches(item)
    latents = encode(pieces, visible, weights, form, rope)
    prediction = decode(latents, visible, weights, form, rope)
    error, normalized_error, picture = 0, 0, item.clone()
    for token, piece in enumerate(pieces):
        truth = piece.permute(1, 2, 0).flatten()  # (t, f, c)
        if token not in visible:
            error = error + ((prediction[token] - truth) ** 2).mean()
            scaled = (truth - truth.mean()) / torch.sqrt(truth.var() + 1e-6)
            normalized_error = normalized_error + ((prediction[token] - scaled) ** 2).mean()
        step, band = token // BANDS, token % BANDS
        values = prediction[token].detach().reshape(PATCH_TIME, PATCH_FREQUENCY, CHANNELS).permute(2, 1, 0)
        picture[:, band * PATCH_FREQUENCY:(band + 1) * PATCH_FREQUENCY,
                step * PATCH_TIME:(step + 1) * PATCH_TIME] = values
    hidden = TOKENS - len(visible)
    pooled = encode(pieces, list(range(TOKENS)), weights, form, rope)[1:].mean(dim=0)
    return error / hidden, normalized_error / hidden, latents[1:].mean(dim=0), pooled, picture


def vectors(form, generator):
    x = torch.randn(BATCH, CHANNELS, BINS, FRAMES, generator=generator)
    kept = torch.stack([torch.randperm(TOKENS, generator=generator)[:KEPT].sort().values for _ in range(BATCH)])
    weights = make_weights(form, generator)
    tensors = {"x": x, "kept": kept} | {f"weight.{name}": weight for name, weight in weights.items()}
    for case in ("plain", "rope"):
        for weight in weights.values():
            weight.requires_grad_(True).grad = None
        rows = [run_item(item, visible.tolist(), weights, form, case == "rope") for item, visible in zip(x, kept)]
        names = ("losses", "normalized_losses", "features", "pooled", "prediction")
        results = {name: torch.stack(column) for name, column in zip(names, zip(*rows))}
        results["losses"].mean().backward()
        tensors |= {f"{case}.{name}": value.detach().contiguous() for name, value in results.items()}
        for name, weight in weights.items():  # norm3 of the compatible form gets none
            grad = torch.zeros_like(weight) if weight.grad is None else weight.grad
            tensors[f"{case}.grad.{name}"] = grad.clone()
        print(f"{form} {case}: losses {results['losses'].tolist()}")
    return {name: tensor.detach() for name, tensor in tensors.items()}


def main():
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(SEED)
    note = {"generated_by": f"tools/testgen/audiomae_vectors.py, seed {SEED}, torch {torch.__version__}, "
                            "command: tools/testgen/reference_vectors"}
    for form in ("corrected", "compat", "vit"):
        safetensors.torch.save_file(vectors(form, generator), f"{sys.argv[1]}/audiomae_{form}.safetensors", note)


if __name__ == "__main__":
    main()
