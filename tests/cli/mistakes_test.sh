#!/usr/bin/env bash
# Mistakes in data and config: told in one line each, with their place, before anything is trained.
# usage: tests/cli/mistakes_test.sh      (run by ctest)
# shellcheck disable=SC1091,SC2154  # testing.sh, and what it sets
. "$(dirname "${BASH_SOURCE[0]}")/testing.sh"
data=$scratch/data

# Twenty recordings in the layout of ESC-50: two classes, five folds.
mkdir -p "$data/audio" "$data/meta"
echo "filename,fold,target,category,esc10,src_file,take" >"$data/meta/esc50.csv"
for fold in 1 2 3 4 5; do
  for take in 1 2; do
    wav "$data/audio/$fold-dog-$take.wav" 500 "wuff $fold"
    wav "$data/audio/$fold-rain-$take.wav" 500 "sh$fold sshh"
    echo "$fold-dog-$take.wav,$fold,0,dog,True,10$fold,A" >>"$data/meta/esc50.csv"
    echo "$fold-rain-$take.wav,$fold,1,rain,True,20$fold,A" >>"$data/meta/esc50.csv"
  done
done
cat >"$scratch/config.yaml" <<'YAML'
data: {name: esc50, root: data}
split: {by: fold, test: 5}
transforms:
  - {name: mel_spectrogram, n_fft: 256, hop: 128, n_mels: 16}
  - {name: log}
model: {name: resnet, depths: [1], width: 8}
train: {epochs: 1, batch_size: 8}
YAML
train() { # CODE PATTERN OVERRIDE...: refused, and no model was begun
  rm -rf "$scratch/run"
  refuses "$1" "$2" run "$scratch/config.yaml" --out "$scratch/run" --quiet "${@:3}"
  [ ! -e "$scratch/run/checkpoints" ] || fail "$2: training had begun"
}
changed() { # FILE: gets a copy to be damaged; `restored` brings the old one back
  cp "$1" "$scratch/saved"
}
restored() { # FILE
  cp "$scratch/saved" "$1"
}

exits 0 run "$scratch/config.yaml" --out "$scratch/good" --quiet
state_is "$scratch/good" finished

# The data set.
train 2 "/nowhere/esc50.*get_esc50" data.root=/nowhere/esc50
mv "$data/audio/3-dog-1.wav" "$scratch/3-dog-1.wav"
train 2 "3-dog-1"
mv "$scratch/3-dog-1.wav" "$data/audio/3-dog-1.wav"
wave=$data/audio/2-rain-2.wav
changed "$wave"
truncate -s 3000 "$wave"
train 2 "2-rain-2\.wav.*2956.*16000"  # bytes that the header promises, and those there
restored "$wave"
echo "this is a text" >"$wave"
train 2 "2-rain-2\.wav"
restored "$wave"
table=$data/meta/esc50.csv
changed "$table"
sed -i '6s/,0,dog/,none,dog/' "$table"
train 2 "esc50\.csv:6.*none"
restored "$table"
sed -i '6s/,0,dog/,-1,dog/' "$table"
train 2 "esc50\.csv:6.*-1"
restored "$table"
train 2 "fold 9, expected one of 1" split.test=9
exits 0 run "$scratch/config.yaml" --out "$scratch/good2" --quiet  # all is whole again

# The config: stages that contradict each other, told with both places.
train 2 'config\.yaml:6:[0-9]+: model\.input: .*<argument [0-9]+>' 'transforms=[{name: gain}]'
train 2 '<argument [0-9]+>: transforms\.resample\.input: .*config\.yaml:5:' 'transforms+={name: resample, rate: 4 kHz}'
[ ! -e "$scratch/run" ] || fail "a mistake in the chain leaves a run folder"
train 2 'device|DEVICE' --device teapot

# Eight mistakes are eight lines, each with its place, and nothing else.
cat >"$scratch/eight.yaml" <<'YAML'
tusk: finetune
seed: -1
data: {name: esc50, root: data, subset: some}
transforms:
  - {name: mel_spectogram}
  - {name: log, epps: 1e-6}
model: {name: resnet, pooling: max}
optim: {lr: 010}
train: {epochs: 2.5}
YAML
exits 2 run "$scratch/eight.yaml" --out "$scratch/eight"
[ "$(wc -l <"$scratch/err")" = 8 ] || fail "eight.yaml: $(wc -l <"$scratch/err") lines: $(cat "$scratch/err")"
[ "$(grep -cE '^amae: error\[[A-Z-]+\]: .*/eight\.yaml:[0-9]+:[0-9]+: ' "$scratch/err")" = 8 ] || fail "eight.yaml: $(cat "$scratch/err")"
[ ! -e "$scratch/eight" ] || fail "a config with mistakes leaves a run folder"
finish
