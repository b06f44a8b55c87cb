#!/bin/sh
# Runs test programs one after the other, prints what they print, and ends
# with "N passed, N failed". A program that dies, or whose plan is not met,
# is one more failure. RUNNER is what runs programs of another machine.
# usage: run.sh PROGRAM...
#
# SPDX-License-Identifier: MIT OR Apache-2.0

passed=0
failed=0
out=${TMPDIR:-/tmp}/fripp-run.$$
trap 'rm -f "$out"' EXIT
trap 'exit 1' HUP INT TERM

for program in "$@"; do
    name=$(basename "$program")
    echo "# $name"
    ${RUNNER:-} "$program" >"$out" 2>&1
    status=$?
    cat "$out"
    good=$(grep -c '^ok ' "$out")
    bad=$(grep -c '^not ok ' "$out")
    plan=$(sed -n 's/^1\.\.\([0-9][0-9]*\).*/\1/p' "$out")
    passed=$((passed + good))
    failed=$((failed + bad))
    if [ "$plan" != $((good + bad)) ]; then
        echo "not ok - $name: $((good + bad)) tests ran, '$plan' planned," \
             "status $status"
        failed=$((failed + 1))
    elif [ $status -ne 0 ] && [ "$bad" -eq 0 ]; then
        echo "not ok - $name: status $status"
        failed=$((failed + 1))
    fi
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
