#!/usr/bin/env bash
# Installs what was built, moves it, and uses it as a stranger would: a new plugin is built against it, found, and
# trained with. Then the packages are made and looked into.
# usage: tests/package/package_test.sh BUILD      (run by ctest; BUILD is a finished build folder)
set -euo pipefail
build=$(cd "$1" && pwd -P)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset AMAE_PLUGIN_PATH AMAE_RUNS AMAE_CACHE XDG_DATA_HOME XDG_CACHE_HOME
export HOME=$work
cd "$work"

fail() {
  printf 'FAILED: %s\n' "$1" >&2
  exit 1
}
quietly() { # COMMAND...: its output only when it fails
  "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "$*"; }
}

quietly cmake --install "$build" --prefix "$work/first"
mv first "moved to"
prefix="$work/moved to"
amae=$prefix/bin/amae

# Nothing of it still points to where it was built or first stood. (The LibTorch that it was built with may.)
! grep -rlF -e "$build" -e "$work/first" "$prefix/lib/cmake" || fail 'the files above name the folder of the build'
readelf -d "$amae" >dynamic
# shellcheck disable=SC2016  # the word is the dynamic linker's
grep -qF '$ORIGIN/../lib' dynamic || fail 'the program does not look for libamae beside itself'
find "$prefix" -type f \( -name '*.so*' -o -name amae \) -exec readelf -d {} + | grep -E 'R(UN)?PATH' >run_paths
! grep -F "$build" run_paths || fail 'libraries are looked for in the build folder'
for file in share/amae/configs/quickstart.yaml include/amae/plugin.h share/doc/amae/copyright \
  share/doc/amae/docs/plugins.md lib/cmake/amae/amaeConfig.cmake lib/cmake/amae/AmaeAddPlugin.cmake; do
  [ -s "$prefix/$file" ] || fail "the installation has no $file"
done
[ "$("$amae" list --json | grep -c '"kind"')" = "$("$build/bin/amae" list --json | grep -c '"kind"')" ] ||
  fail 'the installation lists other components than the build'

quietly "$amae" plugin new model my_net
quietly cmake -G Ninja -S my_net -B my_net/build -DCMAKE_PREFIX_PATH="$prefix"
grep -qF "amae_DIR:PATH=$prefix/lib/cmake/amae" my_net/build/CMakeCache.txt || fail 'another amae was found'
quietly cmake --build my_net/build
# Installed below the same prefix it is one of amae's own.
quietly cmake --install my_net/build --prefix "$prefix"
"$amae" list models my_net | grep -q 'my_net\.so' || fail 'the installed plugin is not found'
quietly "$amae" run my_net/my_net.yaml train.epochs=1 data.clips_per_class=10 --out run --quiet
[ -s run/checkpoints/last/model.safetensors ] || fail 'training left no weights'

# Both packages hold what the installation holds.
(cd "$prefix" && find . ! -type d ! -path '*my_net*' | sed 's|^\./||' | LC_ALL=C sort) >installed
packed() { # PACKAGE; paths below the prefix on stdin
  LC_ALL=C sort >packed.txt
  diff installed packed.txt >&2 || fail "$1 holds other files than the installation (<)"
}
package() { # GENERATOR: prints the one file that was made
  quietly cpack --config "$build/CPackConfig.cmake" -G "$1" -B "$work/$1"
  find "$work/$1" -maxdepth 1 -name 'amae[-_]*' ! -name '*.sha*' -type f
}
tgz=$(package TGZ)
tar -tzf "$tgz" | sed -n 's|^[^/]*/\(.*[^/]\)$|\1|p' | packed "${tgz##*/}"

# Debian's tools ask which package each library is of.
no_deb() {
  echo "passed; no .deb: $1"
  exit 0
}
for tool in dpkg-deb dpkg-shlibdeps file; do command -v "$tool" >/dev/null || no_deb "no $tool"; done
torch=$(readlink -f "$(ldd "$amae" | awk '/libtorch_cpu[.]so/ {print $3}')")
dpkg -S "$torch" >/dev/null 2>&1 || no_deb "$torch is of no package"
deb=$(package DEB)
[[ ${deb##*/} =~ ^amae_[0-9.]+_[a-z0-9]+\.deb$ ]] || fail "a package with the name ${deb##*/}"
dpkg-deb --fsys-tarfile "$deb" | tar -t | sed -n 's|^\./usr/\(.*[^/]\)$|\1|p' | packed "${deb##*/}"
depends=$(dpkg-deb -f "$deb" Depends)
[[ $depends == *libc6* && $depends == *libsndfile1* ]] || fail "it depends on: $depends"
[[ $(dpkg-deb -f "$deb" Recommends) == *g++* ]] || fail 'it does not recommend what building plugins takes'
echo 'passed'
