#!/usr/bin/env bash
# Builds the model plugin of docs/plugins.md outside the tree, drops it where amae looks, and trains with it.
# usage: tests/plugin/out_of_tree_test.sh BUILD      (run by ctest; BUILD is a finished build folder of this checkout)
set -euo pipefail
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
build=$(cd "$1" && pwd -P)
fixture=$checkout/tests/fixtures/out_of_tree
amae=$build/bin/amae
work=$(mktemp -d)
dropped=$checkout/plugins/out_of_tree_test.$$
trap 'rm -rf "$work" "$dropped"' EXIT
unset AMAE_PLUGIN_PATH
export XDG_DATA_HOME=$work/no_plugins_here

fail() {
  printf 'FAILED: %s\n' "$1" >&2
  exit 1
}

code_block() { # HEADING LANGUAGE: the first block of that language below a heading of docs/plugins.md
  awk -v heading="## $1" -v fence="\`\`\`$2" \
    '$0 == heading {found = 1} found && $0 == fence {inside = 1; next} inside && /^```/ {exit} inside' \
    "$checkout/docs/plugins.md"
}

diff <(code_block 'A model' cpp) "$fixture/plugin.cpp" || fail 'docs/plugins.md shows another plugin.cpp than the one tested'
diff <(code_block 'Building outside the tree' cmake) "$fixture/CMakeLists.txt" ||
  fail 'docs/plugins.md shows another CMakeLists.txt than the one tested'
[ "$(wc -l <"$fixture/CMakeLists.txt")" -le 10 ] || fail 'the CMakeLists.txt of a plugin has more than 10 lines'

# As the page says; Ninja, because a fresh machine has no make.
cp -r "$fixture" "$work/source"
cmake -G Ninja -S "$work/source" -B "$work/build" -DCMAKE_PREFIX_PATH="$build" >"$work/log" 2>&1 || { cat "$work/log"; fail 'does not configure'; }
cmake --build "$work/build" >"$work/log" 2>&1 || { cat "$work/log"; fail 'does not build'; }
library=$(find "$work/build" -maxdepth 1 -name '*tiny_cnn.so')
[ -f "$library" ] || fail 'no library was built'

listed() { "$amae" list model tiny_cnn --json | grep '"name": "tiny_cnn"' >/dev/null; }
! listed || fail 'tiny_cnn is there before it was added'

mkdir "$work/plugins"
cp "$library" "$work/plugins/tiny_cnn.so"
AMAE_PLUGIN_PATH=$work/plugins listed || fail 'not found by AMAE_PLUGIN_PATH'

cat >"$work/tiny.yaml" <<'YAML'
amae: 1
task: finetune
seed: 1
data: {name: synthetic_sounds, clips_per_class: 10}
split: {by: fold, test: 5}
transforms:
  - {name: mel_spectrogram, n_fft: 512, hop: 256, n_mels: 32}
  - {name: log}
model: {name: tiny_cnn, width: 16}
optim: {name: adamw, lr: 1e-2}
train: {epochs: 1, batch_size: 16}
YAML
cd "$work"
AMAE_PLUGIN_PATH=$work/plugins "$amae" run tiny.yaml >"$work/log" 2>&1 || { cat "$work/log"; fail 'does not train'; }
find "$work" -path '*runs*' -name model.safetensors | grep . >/dev/null || fail 'training left no weights'

# The plugin's own refusal comes with the line of the config.
code=0
AMAE_PLUGIN_PATH=$work/plugins "$amae" run tiny.yaml model.kernel=4 >"$work/log" 2>&1 || code=$?
[ "$code" -eq 2 ] || fail "an even kernel gives exit $code, not 2"
grep -q 'model.kernel: got 4, expected an odd number' "$work/log" || { cat "$work/log"; fail 'the refusal does not name the option'; }

mkdir "$dropped"
cp "$library" "$dropped/tiny_cnn.so"
listed || fail 'not found in the plugins folder of the checkout'
rm -r "$dropped"
! listed || fail 'tiny_cnn is there after it was removed'
echo 'a plugin built outside the tree is found and trained'
