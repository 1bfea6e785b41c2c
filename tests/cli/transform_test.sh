#!/usr/bin/env bash
# amae transform run and diff.
# usage: tests/cli/transform_test.sh      (run by ctest)
# shellcheck disable=SC1091,SC2154  # testing.sh, and what it sets
. "$(dirname "${BASH_SOURCE[0]}")/testing.sh"
clip=$scratch/clip.wav
wav "$clip" 500 "a tone of some kind"
wav "$scratch/other.wav" 300 "gzrrpm"
mel="{name: mel_spectrogram, n_fft: 256, hop: 128, n_mels: 16}"

is_npy() { [ "$(head -c 6 "$1" | tail -c 5)" = NUMPY ] || fail "$1 is no npy file"; }
is_png() { [ "$(head -c 4 "$1" | tail -c 3)" = PNG ] || fail "$1 is no PNG"; }

# Each stage with its shape and rate; the outputs in three formats.
exits 0 transform run "[{name: channels, rule: mono}, {name: resample, rate: 8 kHz}, $mel, log]" "$clip"
said '^STAGE +TRANSFORM +DOMAIN +SHAPE +RATE'
said '^0 +\(file\) +audio +1 x 8000 +16000 Hz'
said '^2 +resample +audio +1 x 4000 +8000 Hz'
said '^4 +log +spectrogram +1 x 16 x 32 +62.5 Hz'
exits 0 transform run "$mel" "$clip" -o "$scratch/mel.npy"
is_npy "$scratch/mel.npy"
grep -aq "'shape': (1, 16, 63)" "$scratch/mel.npy" || fail "mel.npy: $(head -c 80 "$scratch/mel.npy")"
[ "$(wc -c <"$scratch/mel.npy")" = $((128 + 4 * 16 * 63)) ] || fail "mel.npy has $(wc -c <"$scratch/mel.npy") bytes"
exits 0 transform run "$mel" "$clip" -o "$scratch/mel.png"
is_png "$scratch/mel.png"
exits 0 transform run "[]" "$clip" -o "$scratch/copy.wav"
same "$clip" "$scratch/copy.wav"

# The same numbers each time.
exits 0 transform run "$mel" "$clip" -o "$scratch/again.npy"
same "$scratch/mel.npy" "$scratch/again.npy"

# Several files go to a folder.
exits 0 transform run "$mel" "$clip" "$scratch/other.wav" -o "$scratch/many"
is_npy "$scratch/many/clip.npy"
is_npy "$scratch/many/other.npy"
same "$scratch/mel.npy" "$scratch/many/clip.npy"
exits 0 transform run "$mel" "$clip" -o "$scratch/many/" --format png
is_png "$scratch/many/clip.png"
mkdir "$scratch/twin"
cp "$clip" "$scratch/twin/clip.wav"
refuses 2 'clip\.npy: got two files' transform run "$mel" "$clip" "$scratch/twin/clip.wav" -o "$scratch/many"
echo "no sound" >"$scratch/bad.wav"
exits 2 transform run "$mel" "$scratch/bad.wav" "$clip"
grep -q "bad.wav" "$scratch/err" || fail "the bad file is not named"
said "mel_spectrogram"

# A config's transforms; what must be fitted is left out and said.
exits 0 transform run "$top/configs/quickstart.yaml" "$clip"
said ' log +spectrogram'
grep -q 'standardize is left out' "$scratch/err" || fail "nothing is said of standardize: $(cat "$scratch/err")"

# Mistakes.
refuses 2 'CHAIN:1:1: .*did you mean mel_spectrogram' transform run mel_spectogram "$clip"
refuses 2 'CHAIN:1:31: transforms.mel_spectrogram.hop' transform run "[{name: mel_spectrogram, hop: -1}]" "$clip"
refuses 2 '/nowhere/config.yaml' transform run /nowhere/config.yaml "$clip"
refuses 2 '/nowhere/a.wav' transform run "$mel" /nowhere/a.wav
refuses 2 'out\.txt: got the ending' transform run "$mel" "$clip" -o "$scratch/out.txt"
refuses 2 'mel\.wav: got spectrogram' transform run "$mel" "$clip" -o "$scratch/mel.wav"
refuses 3 '/nowhere/a\.npy' transform run "$mel" "$clip" -o /nowhere/a.npy
cp "$clip" "$scratch/saved.wav"
refuses 2 'clip\.wav: got the input file itself' transform run "[]" "$clip" -o "$scratch/../$(basename "$scratch")/clip.wav"
same "$clip" "$scratch/saved.wav"
refuses 2 'error\[USAGE\]' transform
refuses 2 'error\[USAGE\].*FILE' transform run "$mel"

# diff: equal chains, and chains that part.
exits 0 transform diff "[$mel, log]" "[$mel, log]" "$clip" --strict
said '^outputs agree: equal'
loud="{name: mel_spectrogram, n_fft: 256, hop: 128, n_mels: 16, power: 1}"
exits 0 transform diff "[{name: channels}, $mel, log]" "[{name: channels}, $loud, log]" "$clip" -o "$scratch/diff.png"
said '^channels .*equal$'
said '^mel_spectrogram .*of the peak  <- they part'
said 'they part first after mel_spectrogram'
said 'largest difference: .* at channel 0, bin [0-9]+, frame [0-9]+: A '
said '^  0 to 1 '
is_png "$scratch/diff.png"
exits 5 transform diff "$mel" "$loud" "$clip" --strict
grep -q "error\[CHECK\]: .*clip.wav: the outputs of A and B differ" "$scratch/err" || fail "diff --strict: $(cat "$scratch/err")"
exits 0 transform diff "$mel" "$loud" "$clip" --strict --tolerance 1e9
refuses 2 'B:1:1: ' transform diff "$mel" nothing_like_it "$clip"
exits 0 transform diff "$mel" "{name: mel_spectrogram, n_fft: 256, hop: 64, n_mels: 16}" "$clip"
said 'shapes \[1, 16, 63\] and \[1, 16, 126\]'
refuses 2 'diff\.txt: got another ending' transform diff "$mel" "$mel" "$clip" -o "$scratch/diff.txt"
finish
