#!/usr/bin/env bash
# amae data info, check, preview and convert as their users meet them.
# usage: tests/cli/data_test.sh      (run by ctest)
# shellcheck disable=SC1091,SC2154  # testing.sh, and what it sets
. "$(dirname "${BASH_SOURCE[0]}")/testing.sh"

# Two classes in two folds, four clips of each pair, in ESC-50's layout.
set=$scratch/set
mkdir -p "$set/audio" "$set/meta"
echo 'filename,fold,target,category,esc10,src_file,take' >"$set/meta/esc50.csv"
for class in 0 1; do
  for fold in 1 2; do
    for clip in a b c d; do
      name=$fold-$clip-$class.wav
      wav "$set/audio/$name" 300 "clip $name"
      echo "$name,$fold,$class,class$class,True,$fold$clip$class,A" >>"$set/meta/esc50.csv"
    done
  done
done

exits 0 data info esc50 "root=$set" --svg "$scratch/counts.svg"
said '^rows +16$'
said '^rate +16000 Hz$'
said '^class1 +8 +4 +4$'
said '^all +16 +8 +8$'
grep -q '<title>class0, fold 1: 4</title>' "$scratch/counts.svg" || fail "counts.svg lacks a piece"
exits 0 data info esc50 "root=$set" --json
said '"rows": 16'

exits 0 data check esc50 "root=$set" --strict
said 'found nothing'
said '^leaks: none'

# A clip in both folds and a file that is no sound: told, and with --strict exit 5.
cp "$set/audio/1-a-0.wav" "$set/audio/copy.wav"
echo "copy.wav,2,0,class0,True,other,A" >>"$set/meta/esc50.csv"
echo "no sound" >"$set/audio/2-b-1.wav"
exits 0 data check esc50 "root=$set"
said '^clip_in_two_folds +copy.wav '
said '^unreadable +2-b-1.wav '
exits 5 data check esc50 "root=$set" --strict --quiet
grep -q 'error\[CHECK\].*2 findings' "$scratch/err" || fail "--strict does not say why: $(cat "$scratch/err")"
said '^leaks: 1 clip in two folds'
exits 5 data check esc50 "root=$set" --strict --json --quiet
said '"code": "unreadable"'
exits 0 data info esc50 "root=$set"
said '^unreadable +1 rows'

# A preview, again into the same folder, and not over a file of someone else.
config=$top/configs/quickstart.yaml
exits 0 data preview "$config" data.clips_per_class=3 'transforms+={name: roll}' --items 1 -o "$scratch/preview"
said 'preview.png: 10 items, 10 sounds'
there "$scratch/preview"/{preview.png,preview.json}
exits 0 data preview "$config" data.clips_per_class=3 --items 2 -o "$scratch/preview"
exits 0 data preview synthetic_sounds clips_per_class=3 --classes bell,siren --items 1 -o "$scratch/few" --seed 5
said "few/preview.png: 2 items, 2 sounds"
mkdir "$scratch/taken"
echo mine >"$scratch/taken/preview.png"
refuses 2 'taken/preview.png: is there already' data preview synthetic_sounds --items 1 -o "$scratch/taken" --quiet

# FLAC and a store, and training from both.
refuses 2 '2-b-1.wav' data convert esc50 "root=$set" -o "$scratch/flac" --quiet
[ ! -e "$scratch/flac" ] || fail "half a result is left"
exits 0 data convert esc50 "root=$set" on_bad_sample=skip -o "$scratch/flac" --to flac
said 'flac: 16 rows'
there "$scratch/flac"/{data.csv,audio/1-a-0.flac}
exits 0 data convert esc50 "root=$set" on_bad_sample=skip -o "$scratch/store" --to store
there "$scratch/store"/{samples.bin,index.safetensors}
refuses 2 'store: is in use' data convert esc50 "root=$set" on_bad_sample=skip -o "$scratch/store" --to store --quiet
small=(--quiet 'split={by: fold, test: 2}' train.epochs=1 train.batch_size=4 'transforms.fixed_length.duration=0.3 s')
exits 0 run "$config" "data={name: audio_csv, file: $scratch/flac/data.csv}" "${small[@]}" --out "$scratch/run-flac"
exits 0 run "$config" "data={name: signal_store, root: $scratch/store}" "${small[@]}" --out "$scratch/run-store"
same "$scratch/run-flac/checkpoints/last/ema.safetensors" "$scratch/run-store/checkpoints/last/ema.safetensors"

# IQ: told, checked, drawn, and converted to a store that says the same.
printf 'modulation,snr\nBPSK,-20\nQPSK,18\nBPSK,0\nQPSK,\n' >"$scratch/labels.csv"
iq=(iq_npy "files=$top/tests/vectors/iq_npy/last.npy" "labels=$scratch/labels.csv")
exits 0 data convert "${iq[@]}" -o "$scratch/iq" --to store
said 'iq: 4 rows, [0-9.]+ '
for words in "${iq[*]}" "signal_store root=$scratch/iq"; do
  # shellcheck disable=SC2086  # words
  exits 0 data info $words
  said '^rows +4$'
  said '^samples +6 a row$'
  said '^column +snr: -20 to 18, 3 values; none in 1 rows$'
  said '^column +modulation: BPSK, QPSK$'
  said '^QPSK +2$'
  # shellcheck disable=SC2086
  exits 0 data check $words --strict
done
refuses 2 'got iq, expected audio for FLAC; try --to store' data convert "${iq[@]}" -o "$scratch/iq-flac" --to flac --quiet
exits 0 data preview "${iq[@]}" -o "$scratch/iq-preview"
said 'preview.png: 4 items, 0 sounds'
exits 0 data info sigmf "path=$top/tests/vectors/sigmf/plain/annotated.sigmf-meta"
said '^column +frequency: .*, 2 values$'
refuses 2 'iq_npy/two.npy: data.shape: .*set layout: channels_first' data info iq_npy "files=$top/tests/vectors/iq_npy/two.npy"

for command in data "data info" "data check" "data preview" "data convert"; do
  # shellcheck disable=SC2086  # two words
  exits 0 $command --help
  said "TARGET|SUBCOMMANDS|Subcommands"
done

# Mistakes.
refuses 2 'did you mean esc50' data info esc5
refuses 2 'CFG-MISSING.*data.root' data info esc50
refuses 2 '/nowhere.yaml' data check /nowhere.yaml
refuses 2 'error\[USAGE\]' data convert esc50 "root=$set"
refuses 2 'error\[USAGE\]' data

# Real recordings, where there are some.
if [ -n "${AMAE_ESC10:-}" ]; then
  exits 0 data check esc50 "root=$AMAE_ESC10" subset=esc10
  said '^leaks: none'
fi
finish
