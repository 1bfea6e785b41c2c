#!/usr/bin/env bash
# kill -9 at random moments, resume, and compare with a run that nobody touched: weights byte for byte, figures bit for
# bit; with one and with two loader workers.
# usage: tests/cli/resume_test.sh [KILLS [SEED]]      (3 kills in ctest; SEED repeats the moments of an earlier call)
# shellcheck disable=SC1091,SC2154  # testing.sh, and what it sets
. "$(dirname "${BASH_SOURCE[0]}")/testing.sh"
kills=${1:-3} seed=${2:-$((RANDOM * 32768 + RANDOM))}
echo "kills $kills, seed $seed"
RANDOM=$((seed % 32768))
# Saves within epochs, at their ends, and validation: kills find the program in every phase.
args=("$top/configs/quickstart.yaml" split.val=4 train.epochs=10 train.save_every_steps=7 train.save_interval=0
  "eval.splits=[val, test]")
now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }

begin=$(now_ms)
exits 0 run "${args[@]}" --out "$scratch/straight" --quiet
whole_ms=$(($(now_ms) - begin))
begin=$(now_ms)
exits 0 model summary "${args[@]}"
load_ms=$(($(now_ms) - begin))
echo "straight run: $whole_ms ms, of which loading $load_ms ms"

for workers in 1 2; do
  run=$scratch/workers$workers
  killed=0
  for ((i = 0; i < kills; ++i)); do
    # On average each try loads, then runs its part of the whole.
    delay_ms=$((50 + (RANDOM * 32768 + RANDOM) % (2 * (load_ms + whole_ms / (kills + 1)))))
    if [ -s "$run/run.json" ]; then
      "$amae" -q resume "$run" &
    else
      rm -rf "$run"  # killed before the folder was one of a run
      "$amae" -q run "${args[@]}" train.workers=$workers --out "$run" &
    fi
    pid=$!
    sleep "$((delay_ms / 1000)).$(printf '%03d' $((delay_ms % 1000)))"
    kill -9 $pid 2>/dev/null && how=killed killed=$((killed + 1)) || how="had ended"
    { wait $pid; } 2>/dev/null || true
    last=$(sed -n 's/.*"step": \([0-9]*\).*/\1/p' "$run/checkpoints/last/state.json" 2>/dev/null || true)
    echo "workers $workers: $how after $delay_ms ms, last checkpoint of step ${last:-none}"
  done
  [ "$killed" -gt 0 ] || fail "every run had ended before its kill"
  if [ -s "$run/run.json" ]; then exits 0 resume "$run" --quiet; else
    rm -rf "$run"
    exits 0 run "${args[@]}" train.workers=$workers --out "$run" --quiet
  fi
  state_is "$run" finished
  for file in last/{model,ema,optim}.safetensors last/state.json best/{model,ema}.safetensors; do
    same "$scratch/straight/checkpoints/$file" "$run/checkpoints/$file"
  done
  same_figures "$scratch/straight" "$run"
  for split in val test; do same "$scratch/straight/eval/$split/predictions.csv" "$run/eval/$split/predictions.csv"; done
  [ -z "$(find "$run/checkpoints" -name '*.tmp-*')" ] || fail "rests of killed saves: $(ls "$run/checkpoints")"
done
[ "$failures" = 0 ] || echo "repeat with: $0 $kills $seed" >&2
finish
