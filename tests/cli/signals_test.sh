#!/usr/bin/env bash
# A run that is asked to stop saves and leaves; resumed, it ends as if it had not been stopped.
# usage: tests/cli/signals_test.sh      (run by ctest)
# shellcheck disable=SC1091,SC2154  # testing.sh, and what it sets
. "$(dirname "${BASH_SOURCE[0]}")/testing.sh"
# 2,000 epochs would take minutes: the signal comes before the end on any machine.
long=("$top/configs/quickstart.yaml" data.clips_per_class=10 train.epochs=2000 train.save_interval=0 log.tensorboard=false)

wait_for() { # FILE of a process PID
  local i
  for ((i = 0; i < 600; ++i)); do
    [ ! -s "$1" ] || return 0
    kill -0 "$2" 2>/dev/null || break
    sleep 0.1
  done
  fail "$1 never came"
}

for signal in TERM INT; do
  run=$scratch/$signal
  "$amae" run "${long[@]}" --out "$run" 2>"$scratch/err" &
  pid=$!
  wait_for "$run/metrics.jsonl" $pid  # an epoch has ended

  # While it runs, its folder is its own.
  exits 3 resume "$run" --quiet
  grep -q "in use by process $pid" "$scratch/err" || fail "the holder of the run is not named: $(cat "$scratch/err")"

  code=0
  kill -s $signal $pid
  wait $pid || code=$?
  [ $code = $((128 + $(kill -l $signal))) ] || fail "SIG$signal: exit $code"
  state_is "$run" interrupted
  there "$run/checkpoints/last/state.json"
done

# The rest is long; a shorter run is stopped in the middle instead, and finished.
short=("$top/configs/quickstart.yaml" data.clips_per_class=10 train.epochs=40 log.tensorboard=false)
exits 0 run "${short[@]}" --out "$scratch/straight" --quiet
"$amae" -q run "${short[@]}" --out "$scratch/stopped" &
pid=$!
wait_for "$scratch/stopped/metrics.jsonl" $pid
kill -s TERM $pid 2>/dev/null || true
wait $pid || true
exits 0 resume "$scratch/stopped" --quiet
state_is "$scratch/stopped" finished
same_figures "$scratch/straight" "$scratch/stopped"
same "$scratch/straight/checkpoints/last/model.safetensors" "$scratch/stopped/checkpoints/last/model.safetensors"
same "$scratch/straight/eval/test/predictions.csv" "$scratch/stopped/eval/test/predictions.csv"
exits 0 resume "$scratch/stopped"
grep -q 'finished already' "$scratch/err" || fail "a finished run is resumed"
finish
