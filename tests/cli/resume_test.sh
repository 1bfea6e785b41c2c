#!/usr/bin/env bash
# kill -9 at random moments, resume, and compare with a run that nobody touched: weights byte for byte, figures bit for
# bit; with one and with two loader workers; fine-tuning and pretraining.
# usage: tests/cli/resume_test.sh [KILLS [SEED]]      (3 kills in ctest; SEED repeats the moments of an earlier call)
# shellcheck disable=SC1091,SC2154  # testing.sh, and what it sets
. "$(dirname "${BASH_SOURCE[0]}")/testing.sh"
kills=${1:-3} seed=${2:-$((RANDOM * 32768 + RANDOM))}
echo "kills $kills, seed $seed"
RANDOM=$((seed % 32768))
# Saves within epochs, at their ends, and validation: kills find the program in every phase.
args=("$top/configs/quickstart.yaml" split.val=4 train.epochs=10 train.save_every_steps=7 train.save_interval=0
  "eval.splits=[val, test]")
# Masks, pictures and neighbours.
pretraining=(task=pretrain data.clips_per_class=30 pretrain.pictures_every=3 pretrain.knn_every=2
  "model={name: audiomae++, size: custom, dim: 32, depth: 2, heads: 2, decoder_dim: 16, decoder_depth: 1,
  decoder_heads: 2, patch_time: 8, patch_frequency: 16, drop_path: 0.1}")
now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }

# The run that nobody touches: sets whole_ms and load_ms.
go_straight() { # RUN OVERRIDE...
  local begin
  begin=$(now_ms)
  exits 0 run "${args[@]}" "${@:2}" --out "$1" --quiet
  whole_ms=$(($(now_ms) - begin))
  begin=$(now_ms)
  exits 0 model summary "${args[@]}" "${@:2}"
  load_ms=$(($(now_ms) - begin))
  echo "$(basename "$1"): $whole_ms ms, of which loading $load_ms ms"
}

# The same, killed now and then; must end as the straight run did.
go_killed() { # STRAIGHT RUN OVERRIDE...
  local straight=$1 run=$2 killed=0 i delay_ms pid how last file split
  shift 2
  for ((i = 0; i < kills; ++i)); do
    # On average each try loads, then runs its part of the whole.
    delay_ms=$((50 + (RANDOM * 32768 + RANDOM) % (2 * (load_ms + whole_ms / (kills + 1)))))
    if [ -s "$run/run.json" ]; then
      "$amae" -q resume "$run" &
    else
      rm -rf "$run"  # killed before the folder was one of a run
      "$amae" -q run "${args[@]}" "$@" --out "$run" &
    fi
    pid=$!
    sleep "$((delay_ms / 1000)).$(printf '%03d' $((delay_ms % 1000)))"
    kill -9 $pid 2>/dev/null && how=killed killed=$((killed + 1)) || how="had ended"
    { wait $pid; } 2>/dev/null || true
    last=$(sed -n 's/.*"step": \([0-9]*\).*/\1/p' "$run/checkpoints/last/state.json" 2>/dev/null || true)
    echo "$(basename "$run"): $how after $delay_ms ms, last checkpoint of step ${last:-none}"
  done
  [ "$killed" -gt 0 ] || fail "every run had ended before its kill"
  if [ -s "$run/run.json" ]; then exits 0 resume "$run" --quiet; else
    rm -rf "$run"
    exits 0 run "${args[@]}" "$@" --out "$run" --quiet
  fi
  state_is "$run" finished
  for file in last/{model,ema,optim,trained_on}.safetensors last/state.json best/{model,ema}.safetensors; do
    same "$straight/checkpoints/$file" "$run/checkpoints/$file"
  done
  same_figures "$straight" "$run"
  for split in val test; do same "$straight/eval/$split/predictions.csv" "$run/eval/$split/predictions.csv"; done
  [ -z "$(find "$run/checkpoints" -name '*.tmp-*')" ] || fail "rests of killed saves: $(ls "$run/checkpoints")"
}

go_straight "$scratch/straight"
for workers in 1 2; do go_killed "$scratch/straight" "$scratch/workers$workers" train.workers=$workers; done
go_straight "$scratch/pretraining" "${pretraining[@]}"
go_killed "$scratch/pretraining" "$scratch/pretraining-workers2" "${pretraining[@]}" train.workers=2
[ "$failures" = 0 ] || echo "repeat with: $0 $kills $seed" >&2
finish
