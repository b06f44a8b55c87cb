#!/bin/sh
# Has make build the library, and puts it where Meson wants it.
# usage: build.sh SOURCE FOLDER
set -eu
source=$1
mkdir -p "$2"
out=$(cd "$2" && pwd)
unset MAKEFLAGS MAKEOVERRIDES MFLAGS CARGO_TARGET_DIR
make -C "$source" lib TARGET_DIR="$out/cargo"
cp -f "$out/cargo/lib/libfripp.so" "$out/cargo/lib/libfripp.a" "$out"
ln -sf libfripp.so "$out/libfripp.so.0"
