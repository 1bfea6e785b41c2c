#!/usr/bin/env bash
# The feature cache on disk: what makes an entry, what never uses an old one, writers that die, disks that say no, and
# amae cache ls|gc|verify.
# usage: tests/cli/cache_test.sh      (run by ctest)
# shellcheck disable=SC1091,SC2154  # testing.sh, and what it sets
. "$(dirname "${BASH_SOURCE[0]}")/testing.sh"
export AMAE_CACHE=$scratch/cache
features=$AMAE_CACHE/features
unmount() { umount "$scratch/small" 2>/dev/null || true; }
trap 'unmount; rm -rf "$scratch"' EXIT

# Ten recordings in the layout of ESC-50, and a run of a second over them.
data=$scratch/data
mkdir -p "$data/audio" "$data/meta"
echo "filename,fold,target,category,esc10,src_file,take" >"$data/meta/esc50.csv"
for fold in 1 2 3 4 5; do
  wav "$data/audio/$fold-dog.wav" 250 "wuff $fold"
  wav "$data/audio/$fold-rain.wav" 250 "sh$fold sshh"
  echo "$fold-dog.wav,$fold,0,dog,True,10$fold,A" >>"$data/meta/esc50.csv"
  echo "$fold-rain.wav,$fold,1,rain,True,20$fold,A" >>"$data/meta/esc50.csv"
done
cat >"$scratch/config.yaml" <<'YAML'
data: {name: esc50, root: data}
split: {by: fold, test: 5}
transforms:
  - {name: mel_spectrogram, n_fft: 256, hop: 128, n_mels: 16}
  - {name: log}
model: {name: resnet, depths: [1], width: 8}
train: {epochs: 1, batch_size: 8}
cache: {mode: disk}
log: {tensorboard: false}
YAML
run() { # OVERRIDE...
  rm -rf "$scratch/run"
  exits 0 run "$scratch/config.yaml" --out "$scratch/run" --quiet "$@"
}
entries() { find "$features" -name '*.f32' | wc -l; }
has_entries() { # COUNT WHY
  [ "$(entries)" = "$1" ] || fail "$2: $(entries) entries, expected $1"
}

# The same content, transforms and options find the entry: whatever the clock says, wherever the files are.
run
has_entries 1 "a first run"
entry=$(find "$features" -name '*.f32')
inode=$(stat -c %i "$entry")
find "$data" -type f -exec touch -d '2001-02-03' {} +
run
cp -r "$data" "$scratch/moved"
run data.root="$scratch/moved"
has_entries 1 "other time stamps and another folder"
[ "$(stat -c %i "$entry")" = "$inode" ] || fail "the entry was made again"

# Changed content or options never find it, not even with the old size and time stamp.
stamp=$(stat -c %y "$data/audio/1-dog.wav")
printf 'WUFF' | dd of="$data/audio/1-dog.wav" bs=1 seek=44 conv=notrunc status=none
touch -d "$stamp" "$data/audio/1-dog.wav"
run
has_entries 2 "a file of the same size and time with other content"
run transforms.mel_spectrogram.n_mels=20
has_entries 3 "another option of a transform"
run transforms.log.eps=1e-3
has_entries 4 "another option of the last transform"
run 'transforms+={name: roll}'
has_entries 4 "a random transform behind"

# ls
exits 0 cache ls
said '^ENTRY +SIZE +ITEMS +SHAPE +LAST USE +DATA +TRANSFORMS'
said '  10 +1 x 16 x 32 +.* esc50 +mel_spectrogram v[0-9]+, log v[0-9]+$'
said "^4 files, .* in $AMAE_CACHE"
exits 0 cache ls --json
[ "$(grep -c '"key": "[0-9a-f]\{32\}"' "$scratch/out")" = 4 ] || fail "ls --json: $(head -20 "$scratch/out")"
said '"in_use": false'
exits 0 cache ls --folder "$scratch/none"
said '^0 files, 0 B in '

# verify: a damaged entry is named, and gone with --delete; a run over a damaged one computes it anew.
exits 0 cache verify
said '^4 checked, all whole'
cp "$entry" "$scratch/whole.f32"
printf 'x' | dd of="$entry" bs=1 seek=5000 conv=notrunc status=none
exits 5 cache verify
grep -q "error\[CHECK\]: .*$(basename "$entry") has damaged numbers" "$scratch/err" || fail "verify: $(cat "$scratch/err")"
said "$(basename "$entry" .f32) .*has damaged numbers$"
rm -rf "$scratch/run"
exits 0 run "$scratch/config.yaml" --out "$scratch/run" --quiet data.root="$scratch/moved"
[ "$(grep -c 'computed anew' "$scratch/err")" = 1 ] || fail "a damaged entry: $(cat "$scratch/err")"
numbers() { tail -c +4097 "$1" | head -c $((10 * 16 * 32 * 4)); }  # the description behind them names the other folder
cmp -s <(numbers "$entry") <(numbers "$scratch/whole.f32") || fail "an entry computed anew has other numbers"
exits 0 cache verify
printf 'x' | dd of="$entry" bs=1 seek=5000 conv=notrunc status=none
exits 5 cache verify --delete --json
said '"removed": true'
has_entries 3 "verify --delete"
exits 0 cache verify

# gc: by age, by size, nothing without a limit.
entries=("$features"/*.f32)
oldest=${entries[0]}
touch -d '-40 days' "$oldest"
exits 0 cache gc
has_entries 3 "gc without a limit"
exits 0 cache gc --older-than 30d --dry-run
said "$(basename "$oldest") .*would be removed$"
has_entries 3 "gc --dry-run"
exits 0 cache gc --older-than 30d
said '^1 file, .* removed$'
has_entries 2 "gc --older-than"
[ ! -e "$oldest" ] || fail "gc: the wrong entry went"
exits 0 cache gc --max-size 1MiB
has_entries 2 "gc --max-size that all fits"
exits 0 cache gc --max-size 0 --json
said '"reason": "more than 0 B"'
has_entries 0 "gc --max-size 0"
refuses 2 'older-than: got' cache gc --older-than soon
refuses 2 'max-size: got' cache gc --max-size 10parsecs
refuses 2 'error\[USAGE\]' cache

# Two processes fill one entry and one of them is killed midway: no torn entry, and the other finishes.
big=("$top/configs/quickstart.yaml" cache.mode=disk train.epochs=1 data.clips_per_class=400 eval.splits=[] log.tensorboard=false)
temporaries() { find "$features" -name '*.f32.tmp-*' 2>/dev/null | wc -l; }
"$amae" -q run "${big[@]}" --out "$scratch/killed" &
killed=$!
for ((i = 0; i < 600; ++i)); do
  [ "$(temporaries)" = 0 ] || break
  kill -0 $killed 2>/dev/null || break
  sleep 0.02
done
"$amae" -q run "${big[@]}" --out "$scratch/survivor" 2>"$scratch/survivor.err" &
survivor=$!
kill -9 $killed 2>/dev/null || fail "the first writer was done too early; make the data set larger"
wait $killed 2>/dev/null || true
has_entries 0 "a killed writer"
[ "$(temporaries)" -ge 1 ] || fail "the killed writer left nothing: this test tests nothing"
wait $survivor || fail "the second writer fails: $(cat "$scratch/survivor.err")"
has_entries 1 "the second writer"
exits 0 cache ls
said 'left by a process that died'
exits 0 cache verify
exits 0 cache gc
said 'left by a process that died  removed'
[ "$(temporaries)" = 0 ] || fail "gc left temporary files"
has_entries 1 "gc after a killed writer"

# While a run uses an entry, gc leaves it.
"$amae" -q run "${big[@]}" train.epochs=1000 train.save_interval=0 --out "$scratch/user" &
user=$!
for ((i = 0; i < 600; ++i)); do
  [ ! -s "$scratch/user/metrics.jsonl" ] || break
  kill -0 $user 2>/dev/null || break
  sleep 0.1
done
exits 0 cache gc --max-size 0
said 'stays: it is in use'
has_entries 1 "gc beside a run"
kill -TERM $user
wait $user || true
exits 0 cache gc --max-size 0
has_entries 0 "gc after the run"

# Disks that say no: one warning, and the run goes on in memory.
one_warning() { # WHAT
  [ "$(grep -c 'warning: no disk cache' "$scratch/err")" = 1 ] || fail "$1: $(cat "$scratch/err")"
  state_is "$scratch/run" finished
}
run cache.folder=/proc/nowhere
one_warning "a folder that cannot be made"
if [ "$(id -u)" = 0 ] && mkdir "$scratch/small" && mount -t tmpfs -o size=1m tmpfs "$scratch/small" 2>/dev/null; then
  dd if=/dev/zero of="$scratch/small/fill" bs=1k count=1010 status=none
  run cache.folder="$scratch/small"
  one_warning "a full disk"
  [ -z "$(find "$scratch/small" -name '*.f32*')" ] || fail "a full disk: files are left"
  rm "$scratch/small/fill"
  run cache.folder="$scratch/small"
  [ "$(find "$scratch/small" -name '*.f32' | wc -l)" = 1 ] || fail "a disk with room again has no entry"
  mount -o remount,ro "$scratch/small"
  run cache.folder="$scratch/small"
  [ ! -s "$scratch/err" ] || fail "an entry on a read-only disk is not used: $(cat "$scratch/err")"
  run cache.folder="$scratch/small" transforms.log.eps=1e-2
  one_warning "a read-only disk"
  unmount
else
  echo "skipped: full and read-only disks (cannot mount here)"
fi
finish
