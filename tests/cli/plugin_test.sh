#!/usr/bin/env bash
# amae plugin check: verdicts, formats and exit codes; first contact with unknown libraries, and --no-probe. What each
# check finds is the zoo's test (zoo_test.sh).
# usage: tests/cli/plugin_test.sh      (run by ctest)
# shellcheck disable=SC1091,SC2154  # testing.sh, and what it sets
. "$(dirname "${BASH_SOURCE[0]}")/testing.sh"
zoo=${AMAE_BUILD_DIR:-$top/build}/tests/zoo
export XDG_DATA_HOME=$scratch/data

# A sound plugin: every level, a line a check, and the same in JSON and JUnit.
exits 0 plugin check "$zoo/good_model.so" --level 10
said '^ +1 load +ok$'
said '^model good_model$'
said '^ +8 save_load +ok$'
said '^[0-9]+ passed, 0 failed, [0-9]+ skipped$'
exits 0 plugin check "$zoo/good_model.so" --level 2 --json --junit "$scratch/report.xml"
said '"failed": 0'
said '"level": 2'
! grep -q '"save_load"' "$scratch/out" || fail 'level 2 makes a check of level 8'
there "$scratch/report.xml"
passed=$(grep -o '"passed": [0-9]*' "$scratch/out" | grep -o '[0-9]*')
skipped=$(grep -o '"skipped": [0-9]*' "$scratch/out" | grep -o '[0-9]*')
[ "$(grep -c '<testcase' "$scratch/report.xml")" = $((passed + skipped)) ] || fail 'JUnit and JSON disagree'


exits 2 plugin check "$zoo/good_transform.so" --level 11
exits 2 plugin check

# A failed check is exit 5 and named, on stderr too; the report is written all the same.
exits 5 plugin check "$zoo/state_not_saved.so" --junit "$scratch/failed.xml"
said '^ +8 save_load +FAILED  model state_not_saved: gives other features after'
grep -qE 'error\[CHECK\]: .*state_not_saved.so: 1 of [0-9]+ checks failed: save_load$' "$scratch/err" || fail "stderr: $(cat "$scratch/err")"
grep -q '<failure message="model state_not_saved: gives' "$scratch/failed.xml" || fail 'JUnit has no failure'
exits 5 plugin check "$zoo/option_unchecked.so" --level 3
refuses 2 'nothing.so: got a plugin that does not exist' plugin check "$scratch/nothing.so"
refuses 2 'no/such/folder' plugin check "$zoo/good_model.so" --junit "$scratch/no/such/folder/x.xml"

# A check that hangs ends with its time, and the others are made.
exits 5 plugin check "$zoo/forward_loops.so" --level 5 --timeout 3
said 'shape +FAILED  did not answer within 3'
said 'own_key +ok'

# What amae runs itself as is not for people.
refuses 2 'is run by amae itself' plugin probe "$zoo/good_model.so"
refuses 2 'is run by amae itself' plugin check-these "$zoo/good_model.so" --kind model --key good_model --id shape

# First contact: a crasher is named once as such and then as quarantined, without a second trial; its neighbours work.
mkdir "$scratch/plugins"
cp "$zoo/good_transform.so" "$zoo/init_segfaults.so" "$scratch/plugins/"
exits 0 --plugin-path "$scratch/plugins" list transform
said 'good_transform'
grep -q 'init_segfaults.so: its code crashed (Segmentation fault) when it was loaded' "$scratch/err" || fail "no crash told: $(cat "$scratch/err")"
exits 0 --plugin-path "$scratch/plugins" list transform
said 'good_transform'
grep -q 'init_segfaults.so: is quarantined: ' "$scratch/err" || fail "not quarantined: $(cat "$scratch/err")"
exits 5 plugin check "$scratch/plugins/init_segfaults.so"
said 'load +FAILED  its code crashed'

# For the brave: opened at once.
code=0
"$amae" --no-probe --plugin-path "$scratch/plugins" list >"$scratch/out" 2>"$scratch/err" || code=$?
[ "$code" = 139 ] || fail "--no-probe: exit $code, expected that of the crash"
rm "$scratch/plugins/init_segfaults.so"
exits 0 --no-probe --plugin-path "$scratch/plugins" list
said 'good_transform'

finish
