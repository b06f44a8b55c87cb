#!/bin/sh
# Runs test programs, JOBS (4) at once, prints what each prints, whole and in
# their order, and ends with "N passed, N failed". A program that dies, or
# whose plan is not met, is one more failure. RUNNER is what runs programs of
# another machine. Those named in ALONE run at the end, one by one.
# usage: run.sh PROGRAM...
#
# SPDX-License-Identifier: MIT OR Apache-2.0

passed=0
failed=0
out=$(mktemp -d "${TMPDIR:-/tmp}/fripp-run.XXXXXX") || exit 1
trap 'rm -rf "$out"' EXIT
trap 'exit 1' HUP INT TERM

report () {
    name=$(basename "$(cat "$out/$1.name")")
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

# number and path of each, the rest of the list beside those that are alone
n=0
for how in together alone; do
    for program in "$@"; do
        case " ${ALONE:-} " in
        *" $(basename "$program") "*) this=alone ;;
        *) this=together ;;
        esac
        if [ $this = $how ]; then
            n=$((n + 1))
            printf '%s\n%s\n' "$n" "$program"
        fi
    done >"$out/$how"
done

# a line when one has ended
# shellcheck disable=SC2016
run_list () {
    xargs -r -d '\n' -n 2 -P "$2" sh -c '
        echo "$2" >"$0/$1.name"
        ${RUNNER:-} "$2" >"$0/$1" 2>&1
        echo $? >"$0/$1.status"
        echo' "$out" <"$out/$1"
}

{ run_list together "${JOBS:-4}"; run_list alone 1; } | {
    next=1
    while read -r _; do
        while [ -s "$out/$next.status" ]; do
            report $next
            next=$((next + 1))
        done
    done
    echo "$passed passed, $failed failed"
    [ $next -gt $# ] && [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}
