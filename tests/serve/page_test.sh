#!/usr/bin/env bash
# The page of `amae serve` in a browser: a model that knows dogs, an index, runs, and headless Chromium.
# Skipped (exit 4) where node, npm or chromium is missing (tools/install_deps --browser), or npm's packages cannot be had;
# with AMAE_BROWSER=require that is a failure.
# usage: tests/serve/page_test.sh [--screenshots FOLDER]
# shellcheck disable=SC1091,SC2154
. "$(dirname "${BASH_SOURCE[0]}")/../cli/testing.sh"
page=$top/tests/serve/page
build=${AMAE_BUILD_DIR:-$top/build}

skip() { # WHY
  echo "skipped: $1"
  [ "${AMAE_BROWSER:-}" != require ] || { echo "FAILED: AMAE_BROWSER=require" >&2; exit 1; }
  exit 4
}
for program in node npm chromium; do command -v $program >/dev/null || skip "no $program"; done

# The packages, as package-lock.json has them, are kept between runs.
modules=$build/page_test
mkdir -p "$modules"
cp "$page"/page_test.mjs "$modules"
if ! cmp -s "$page/package-lock.json" "$modules/installed-lock.json"; then
  cp "$page/package.json" "$page/package-lock.json" "$modules"
  (cd "$modules" && npm ci --ignore-scripts --no-audit --no-fund) >"$scratch/npm.log" 2>&1 || {
    tail -n 5 "$scratch/npm.log"
    skip "npm ci failed"
  }
  cp "$page/package-lock.json" "$modules/installed-lock.json"
fi

# Real dogs where they are; else synthetic sounds.
if [ -n "${AMAE_ESC10:-}" ]; then
  # A minute of training: 0.875 on fold 1, and none of its eight dogs is taken for something else.
  cat >"$scratch/config.yaml" <<YAML
seed: 1
data: {name: esc50, root: "$AMAE_ESC10", subset: esc10}
split: {by: fold, test: 1}
transforms:
  - {name: channels, rule: mono}
  - {name: resample, rate: 16 kHz}
  - {name: fixed_length, duration: 5 s}
  - {name: mel_spectrogram, n_fft: 1024, hop: 512, n_mels: 48, f_min: 50 Hz}
  - {name: roll}
  - {name: log}
  - {name: standardize}
model: {name: resnet, depths: [1, 1, 1], width: 16, pooling: mean_max}
optim: {name: adamw, lr: 3e-3}
schedule: {name: cosine, warmup: 0.1}
train: {epochs: 40, batch_size: 32}
YAML
  exits 0 run "$scratch/config.yaml" --out "$scratch/runs/esc10"
  exits 0 embed "$scratch/runs/esc10" "$scratch/config.yaml" --out "$scratch/store"
  sound=$AMAE_ESC10/audio/1-30344-A-0.ogg label=dog  # of fold 1: never heard in training
else
  exits 0 run "$top/configs/quickstart.yaml" train.epochs=6 --out "$scratch/runs/quickstart"
  exits 0 embed "$scratch/runs/quickstart" "$top/configs/quickstart.yaml" --out "$scratch/store"
  exits 0 data preview synthetic_sounds duration=4 --items 1 --out "$scratch/preview"
  sound=$(find "$scratch/preview" -name '*.wav' | LC_ALL=C sort | head -n 1)
  exits 0 predict "$scratch/runs/quickstart" "$sound" -k 1 --format csv
  label=$(tail -n 1 "$scratch/out" | cut -d, -f3)
fi
model=$(find "$scratch/runs" -mindepth 1 -maxdepth 1 | head -n 1)
exits 0 index build "$scratch/store"

"$amae" serve "$model" --index "$scratch/store" --runs "$scratch/runs" --port 0 2>"$scratch/serve.err" &
server=$!
trap 'kill $server 2>/dev/null; wait $server; rm -rf "$scratch"' EXIT
for _ in $(seq 200); do
  url=$(grep -oE 'http://[^ ]*:[0-9]+' "$scratch/serve.err" | head -n 1) && break
  sleep 0.1
done
[ -n "$url" ] || { cat "$scratch/serve.err" >&2; exit 1; }
(cd "$modules" && node page_test.mjs "$url" "$sound" "$label" "$@")
