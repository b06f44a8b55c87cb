#!/bin/sh
# The header compiles as C90, C99, C11 and C++11 to C++20, wherever it stands,
# with either version of Flux and without one; and fripp.hpp as C++17 and C++20.
#
# SPDX-License-Identifier: MIT OR Apache-2.0

cc=${CC:-gcc}
cxx=${CXX:-g++}
build=${BUILD:?}
warn="-Wall -Wextra -Wpedantic -Werror"
n=0
failed=0
here=$(dirname "$0")

check () {
    n=$((n + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $n - $2"
    else
        echo "not ok $n - $2"
        sed 's/^/# /' "$build/header.log"
        failed=1
    fi
}

compile () {
    file=$1
    lang=$2
    shift 2
    case $lang in
        c++*) $cxx -x c++ -std=$lang $warn -I"${INCLUDE:?}" "$@" \
                  -c -o "$build/header.o" "$here/header/$file" ;;
        *)    $cc -std=$lang $warn -I"${INCLUDE:?}" "$@" \
                  -c -o "$build/header.o" "$here/header/$file" ;;
    esac >"$build/header.log" 2>&1
}

flux="-I$here/flux-standin"

for lang in c99 c11 c++17; do
    for file in alone.c twice.c use.c; do
        compile $file $lang
        check $? "$lang, no Flux: $file"
    done
    for file in alone.c twice.c use.c before-flux.c after-flux.c; do
        compile $file $lang "$flux"
        check $? "$lang, Flux 0.28: $file"
        compile $file $lang "$flux" -DSTANDIN_0_88
        check $? "$lang, Flux 0.88: $file"
    done
done

# clang tells that bool of stdbool.h is not C90's
for lang in c89 gnu89 c++11 c++14 c++20; do
    for file in alone.c twice.c; do
        compile $file $lang -pedantic -Wno-c99-extensions
        check $? "$lang: $file"
    done
done
for lang in c++11 c++14 c++20; do
    compile use.c $lang
    check $? "$lang: use.c"
done

compile cpp.cpp c++14
[ $? -ne 0 ] && grep -q 'fripp.hpp needs C++17' "$build/header.log"
check $? "c++14: fripp.hpp says that it needs C++17"

# in one program: compiled with Flux and without, and linked
compile use.c c++17 "$flux" && $cxx -o "$build/header-use" "$build/header.o" \
    -L"$build/lib" -lfripp -Wl,-rpath,"$build/lib" >"$build/header.log" 2>&1
check $? "a C++ program links"
"$build/header-use" >"$build/header.log" 2>&1
check $? "and runs"

for lang in c11 c++11 c++17; do
    compile receiver.c $lang
    check $? "$lang: fripp-test.h"
done
compile receiver.c c++11 && $cxx -o "$build/header-receiver" \
    "$build/header.o" -L"$build/lib" -lfripp -Wl,-rpath,"$build/lib" \
    >"$build/header.log" 2>&1 && "$build/header-receiver" \
    >"$build/header.log" 2>&1
check $? "c++11: a test with fripp-test.h runs"

for file in wrong-format.c wrong-sendf.c; do
    for lang in c11 c++17; do
        ! compile $file $lang
        check $? "$lang: arguments that the format does not name: $file"
    done
done

# its users have warnings of their own on
for lang in c++17 c++20; do
    for flags in "" "-fno-exceptions -fno-rtti" "$flux" "$flux -DSTANDIN_0_88"
    do
        # shellcheck disable=SC2086
        compile cpp.cpp $lang -Wshadow -Wconversion -Wold-style-cast $flags
        check $? "$lang $flags: fripp.hpp"
    done
done

# fripp_sendf is fripp_format_send
list=$here/exports.txt
missing=$(grep -vx fripp_sendf "$list" | while read -r name; do
    grep -q "$name (" "${INCLUDE:?}/fripp.hpp" || echo "$name"
done)
[ -s "$list" ] && [ -z "$missing" ]
check $? "fripp.hpp has every function of the library $missing"

grep -q 'struct flux_handle' "${INCLUDE:?}/fripp.h"
[ $? -eq 1 ]
check $? "the header does not name the struct tag of flux_t"

echo "1..$n"
exit $failed
