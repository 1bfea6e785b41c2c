#!/usr/bin/env bash
# The command line itself: help, mistakes in it, and what tells about plugins and configs.
# usage: tests/cli/usage_test.sh      (run by ctest)
# shellcheck disable=SC1091,SC2154  # testing.sh, and what it sets
. "$(dirname "${BASH_SOURCE[0]}")/testing.sh"
quickstart=$top/configs/quickstart.yaml

for command in "" run resume evaluate predict embed import export list describe config model transform cache; do
  exits 0 $command --help
  said "[Uu]sage|USAGE|OPTIONS|Options"
done
exits 0 --version
said '^amae [0-9]+\.[0-9]+\.[0-9]+ \(LibTorch [0-9.]+\)'

refuses 2 'error\[USAGE\].*dance' dance
refuses 2 'did you mean evaluate' evalute
refuses 2 'error\[USAGE\].*--colour' run "$quickstart" --colour
refuses 2 'error\[USAGE\].*CONFIG' run
refuses 2 'error\[USAGE\]' predict
refuses 2 'error\[USAGE\]' --threads 0 list
refuses 2 'error\[USAGE\]'
refuses 2 '/nowhere/config.yaml' run /nowhere/config.yaml
refuses 2 '/nowhere' resume /nowhere
refuses 2 '/nowhere' predict /nowhere a.wav
refuses 2 '/nowhere' evaluate /nowhere
refuses 2 'did you mean mel_spectrogram' describe mel_spectogram
refuses 2 '/nowhere/plugins' --plugin-path /nowhere/plugins list

exits 0 list
said '^model +resnet '
said '^dataset +synthetic_sounds '
said '^transform +mel_spectrogram '
exits 0 list models
said '^model +resnet '
grep -q '^dataset' "$scratch/out" && fail "list models shows datasets"
exits 0 list transform 'mel*'
[ "$(wc -l <"$scratch/out")" = 2 ] || fail "list transform 'mel*': expected the header and one line"

exits 0 describe mel_spectrogram
said 'n_mels +int'
said 'f_min +number +-?[0-9.]+ +Hz'

exits 0 config show "$quickstart" train.epochs=7
said '^  epochs: 7$'
exits 0 config show "$quickstart" --origin train.epochs=7
said 'epochs: 7 +# <argument 1>'
said 'clips_per_class: 100 +# .*quickstart\.yaml:[0-9]+:[0-9]+'
said '# default'
exits 0 config check "$quickstart"
refuses 2 'quickstart\.yaml|argument 1.*did you mean epochs' config check "$quickstart" train.epoch=7
for config in "$top"/configs/*.yaml; do
  exits 0 config check "$config"
done
# Said in its comment.
exits 0 config check "$top/configs/esc50_probe.yaml" "model={name: mel_stats}" init_from=

exits 0 model summary "$quickstart"
said '^encoder\.conv1 +convolution '
said '^head +linear '
said 'MACs per item$'

exits 0 model summary "$quickstart" task=pretrain "model={name: audiomae++, size: tiny, patch_time: 8, patch_frequency: 16}"
said '^encoder\.decoder'
grep -q '^head ' "$scratch/out" && fail "a model in pretraining has a head"
exits 0 model summary "$quickstart" "model={name: audiomae++, size: tiny, patch_time: 8, patch_frequency: 16}"
grep -q '^encoder\.decoder' "$scratch/out" && fail "a fine-tuned model has a decoder"
said '^head +linear '
refuses 2 'got evaluate, which has a command of its own: amae evaluate RUN' run "$quickstart" task=evaluate

# What was shown is a config again, and means the same.
"$amae" config show "$quickstart" >"$scratch/shown.yaml"
"$amae" config show "$scratch/shown.yaml" >"$scratch/again.yaml"
same "$scratch/shown.yaml" "$scratch/again.yaml"

# From any working folder, and with a closed standard input.
(cd / && "$amae" list) >"$scratch/from_root" <&- || fail "amae list from / fails"
"$amae" list >"$scratch/from_here"
same "$scratch/from_root" "$scratch/from_here"
finish
