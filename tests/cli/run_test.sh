#!/usr/bin/env bash
# From a config to a trained model, and what can be done with it.
# usage: tests/cli/run_test.sh      (run by ctest)
# shellcheck disable=SC1091,SC2154  # testing.sh, and what it sets
. "$(dirname "${BASH_SOURCE[0]}")/testing.sh"
small=("$top/configs/quickstart.yaml" train.epochs=2 data.clips_per_class=20 split.val=4)
run=$scratch/run

exits 0 run "${small[@]}" --out "$run"
[ ! -s "$scratch/out" ] || fail "a run speaks on stdout, which is for results"
there "$run"/{run.json,config.yaml,log.txt,metrics.jsonl,metrics.csv} "$run"/tb/events.out.tfevents.*
there "$run"/checkpoints/{last,best}/{SHA256SUMS,bundle.json,{model,ema,golden,trained_on}.safetensors}
there "$run"/checkpoints/last/{optim.safetensors,state.json,pipeline.safetensors}
there "$run"/eval/test/{metrics.json,per_class.csv,confusion.csv,confusion.svg,predictions.csv}
there "$run"/plots/{loss,accuracy,lr}.svg
state_is "$run" finished
for checkpoint in last best; do
  (cd "$run/checkpoints/$checkpoint" && sha256sum --check --strict --quiet SHA256SUMS) || fail "$checkpoint/SHA256SUMS"
  listed=$(wc -l <"$run/checkpoints/$checkpoint/SHA256SUMS") files=$(find "$run/checkpoints/$checkpoint" -type f | wc -l)
  [ "$files" = $((listed + 1)) ] || fail "$checkpoint: $files files, $listed sums"
done
[ "$(wc -l <"$run/metrics.csv")" = 3 ] || fail "metrics.csv: expected a header and two epochs"
[ "$(wc -l <"$run/eval/test/predictions.csv")" = 41 ] || fail "predictions.csv: expected a header and 40 rows"
grep -q 'test   accuracy' "$run/log.txt" || fail "log.txt lacks the result"
[ -z "$(find "$run" -name '*.tmp-*')" ] || fail "temporary files are left: $(find "$run" -name '*.tmp-*')"

# The saved config runs again to the same figures and weights, from another folder.
(cd / && exec "$amae" -q run "$run/config.yaml" --out "$scratch/rerun") || fail "config.yaml does not run"
same_figures "$run" "$scratch/rerun"
same "$run/checkpoints/last/ema.safetensors" "$scratch/rerun/checkpoints/last/ema.safetensors"
same "$run/config.yaml" "$scratch/rerun/config.yaml"

# A run folder of its own making, with a link to the newest.
AMAE_RUNS=$scratch/runs "$amae" -q run "${small[@]}" train.epochs=1 eval.splits=[] || fail "a run without --out"
state_is "$scratch/runs/quickstart/latest" finished

# A folder that is in use, and one that cannot be.
refuses 2 "$run: .*in use" run "${small[@]}" --out "$run" --quiet
refuses 3 '/proc/nowhere' run "${small[@]}" --out /proc/nowhere --quiet
touch "$scratch/file"
refuses 3 "$scratch/file/run" run "${small[@]}" --out "$scratch/file/run" --quiet

# Evaluating gives the run's own result.
accuracy=$(sed -n 's/^  "accuracy": \([0-9.]*\),/\1/p' "$run/eval/test/metrics.json")
cp "$run/eval/test/predictions.csv" "$scratch/predictions.csv"
exits 0 evaluate "$run" --json --quiet
said "\"count\": 40, \"accuracy\": $accuracy,"
same "$scratch/predictions.csv" "$run/eval/test/predictions.csv"
exits 0 evaluate "$run" --split val --quiet
said '^class +support +precision'
there "$run/eval/val/metrics.json"

# Prediction: the same answer twice, in three formats.
wav "$scratch/one.wav" 1000 "a tone of some kind"
wav "$scratch/two words.wav" 700 "gzrrpm"
for format in table csv jsonl; do
  exits 0 predict "$run" "$scratch/one.wav" "$scratch/two words.wav" --format $format
  cp "$scratch/out" "$scratch/first"
  exits 0 predict "$run" "$scratch/one.wav" "$scratch/two words.wav" --format $format
  same "$scratch/first" "$scratch/out"
  case $format in
    table) [ "$(wc -l <"$scratch/out")" = 2 ] || fail "table: expected a line a file" ;;
    csv)
      said "^path,rank,label,score$"
      [ "$(wc -l <"$scratch/out")" = 7 ] || fail "csv: expected a header and 3 lines a file"
      ;;
    jsonl) said '^\{"path":".*one.wav","top":\[\{"label":"[a-z_]+","score":' ;;
  esac
done
exits 0 predict "$run/checkpoints/best" "$scratch/one.wav" -k 10 --format csv
[ "$(wc -l <"$scratch/out")" = 11 ] || fail "-k 10: expected ten labels"

# One bad file does not keep the others from being answered.
echo "no sound" >"$scratch/bad.wav"
exits 2 predict "$run" "$scratch/bad.wav" "$scratch/one.wav"
grep -q "bad.wav" "$scratch/err" || fail "the bad file is not named"
said "one.wav "

# A bundle kept under a name is found by it, and its own test rows may judge it, but no row that trained it.
export AMAE_CHECKPOINTS=$scratch/checkpoints
exits 0 run "${small[@]}" train.epochs=1 eval.splits=[] save_as=kept --out "$scratch/kept" --quiet
there "$AMAE_CHECKPOINTS"/kept/{SHA256SUMS,bundle.json,{model,ema,golden,pipeline,trained_on}.safetensors}
[ ! -e "$AMAE_CHECKPOINTS/kept/optim.safetensors" ] || fail "a kept bundle holds the optimizer"
(cd "$AMAE_CHECKPOINTS/kept" && sha256sum --check --strict --quiet SHA256SUMS) || fail "kept/SHA256SUMS"
exits 0 predict kept "$scratch/one.wav"
said "one.wav "
refuses 2 'config\.yaml: is missing; name the data with --config' evaluate kept --quiet
other=(--config "${small[0]}" data.clips_per_class=20 --out "$scratch/other" --quiet)
exits 0 evaluate kept "${other[@]}"
refuses 2 'error\[LEAK\]: .*checkpoints/kept: got 40 of 40 test rows' evaluate kept "${other[@]}" split.test=1
exits 0 evaluate kept "${other[@]}" split.test=1 --split all
exits 0 run "${small[@]}" train.epochs=1 eval.splits=[] init_from=kept --out "$scratch/second" --quiet
refuses 2 'error\[LEAK\]' run "${small[@]}" split.test=1 init_from=kept --out "$scratch/third" --quiet
refuses 2 'save_as: got one name' run "${small[@]}" 'split={by: fold}' folds=all save_as=kept --out "$scratch/fourth" --quiet
refuses 2 "folds: got 9, expected all or some of" run "${small[@]}" "split={by: fold}" "folds=[1,9]" --out "$scratch/ninth" --quiet
[ ! -e "$scratch/ninth" ] || fail "a fold that is not there left a run folder"

# A pretrained encoder has no classes to predict or to evaluate.
exits 0 run "${small[@]}" task=pretrain train.epochs=1 eval.splits=[] save_as=encoder --out "$scratch/encoder" --quiet \
  "model={name: audiomae++, size: custom, dim: 16, depth: 1, heads: 2, decoder_dim: 16, decoder_depth: 1,
  decoder_heads: 2, patch_time: 8, patch_frequency: 16}"
there "$AMAE_CHECKPOINTS/encoder/bundle.json"
refuses 2 'got a pretrained encoder without classes, expected a fine-tuned bundle' predict encoder "$scratch/one.wav"
refuses 2 'got a pretrained encoder without classes' evaluate "$scratch/encoder" --quiet

# A damaged model is refused, by the file's name.
cp -r "$run/checkpoints/last" "$scratch/damaged"
printf 'x' | dd of="$scratch/damaged/ema.safetensors" bs=1 seek=5000 conv=notrunc status=none
refuses 2 'damaged/ema.safetensors: .*damaged' predict "$scratch/damaged" "$scratch/one.wav"

# Real recordings, where there are some.
if [ -n "${AMAE_ESC10:-}" ]; then
  recordings=("$AMAE_ESC10"/audio/*)
  recording=${recordings[0]}
  exits 0 predict "$run" "$recording"
  said "$(basename "$recording")"
fi
finish
