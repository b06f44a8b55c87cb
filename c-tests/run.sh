#!/bin/sh
# Runs test programs, JOBS (4) at once, prints what each prints, whole and in
# their order, and ends with "N passed, N failed". A program that dies, or
# whose plan is not met, is one more failure. RUNNER is what runs programs of
# another machine.
# usage: run.sh PROGRAM...
#
# SPDX-License-Identifier: MIT OR Apache-2.0

passed=0
failed=0
out=$(mktemp -d "${TMPDIR:-/tmp}/fripp-run.XXXXXX") || exit 1
trap 'rm -rf "$out"' EXIT
trap 'exit 1' HUP INT TERM

report () {
    name=$(basename "$2")
    echo "# $name"
    cat "$out/$1"
    good=$(grep -c '^ok ' "$out/$1")
    bad=$(grep -c '^not ok ' "$out/$1")
    plan=$(sed -n 's/^1\.\.\([0-9][0-9]*\).*/\1/p' "$out/$1")
    status=$(cat "$out/$1.status")
    passed=$((passed + good))
    failed=$((failed + bad))
    if [ "$plan" != $((good + bad)) ]; then
        echo "not ok - $name: $((good + bad)) tests ran, '$plan' planned," \
             "status $status"
        failed=$((failed + 1))
    elif [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then
        echo "not ok - $name: status $status"
        failed=$((failed + 1))
    fi
}

# a line when one has ended
# shellcheck disable=SC2016
run_all () {
    n=0
    for program in "$@"; do
        n=$((n + 1))
        printf '%s\n%s\n' "$n" "$program"
    done | xargs -r -d '\n' -n 2 -P "${JOBS:-4}" sh -c '
        ${RUNNER:-} "$2" >"$0/$1" 2>&1
        echo $? >"$0/$1.status"
        echo' "$out"
}

run_all "$@" | {
    next=1
    while read -r _; do
        while [ -s "$out/$next.status" ]; do
            report "$next" "$1"
            next=$((next + 1))
            shift
        done
    done
    echo "$passed passed, $failed failed"
    [ $# -eq 0 ] && [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}
