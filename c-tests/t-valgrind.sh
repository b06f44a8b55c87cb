#!/bin/sh
# Contexts created and destroyed under valgrind: no leak, no invalid access.
#
# SPDX-License-Identifier: MIT OR Apache-2.0

build=${BUILD:?}
log=$build/valgrind.log
n=300

if ! command -v valgrind >/dev/null; then
    echo "not ok 1 - $n contexts under valgrind"
    echo "# valgrind is missing: install it (apt install valgrind)"
    echo "1..1"
    exit 1
fi

if valgrind -q --leak-check=full --errors-for-leak-kinds=definite \
            --show-leak-kinds=definite --track-fds=yes --error-exitcode=99 \
            --log-file="$log" "$build/helper-leak" $n; then
    result=ok
else
    result="not ok"
fi
echo "$result 1 - $n contexts under valgrind: no leak, no invalid access"
[ "$result" = ok ] || sed 's/^/# /' "$log"

if grep -q '^==.*Open .* socket' "$log"; then
    echo "not ok 2 - no socket is left open"
    sed 's/^/# /' "$log"
    result="not ok"
else
    echo "ok 2 - no socket is left open"
fi
echo "1..2"
[ "$result" = ok ]
