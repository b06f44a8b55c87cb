# compare.awk - what a program recorded beside what was received
#
# SPDX-License-Identifier: MIT OR Apache-2.0
#
# usage: awk -f compare.awk RECORDED RECEIVED
#
# RECORDED is what content-cache -o wrote, RECEIVED the .csv of fripp report.
# The exit status is 1 where they differ.

FNR == NR {
    name[++count] = $1
    type[$1] = $2
    samples[$1] = $3
    value[$1] = $4
    next
}

FNR == 1 {
    FS = ","
    $0 = $0
    for (i = 1; i <= NF; i++)
        column[$i] = i
    next
}

{
    lines += $column["lines"]
    if (!($1 in type)) {
        print "received, and not recorded: " $1
        wrong++
    }
    # a total is sent whole to brubeck, and to others as what it grew by
    kind = $column["type"]
    got[$1] = $column[kind == "timer" ? "sum" : kind == "counter" ? "all" : "newest"]
    if (kind == "timer")
        times[$1] = $column["all"]
}

function differs(a, b) {
    return a - b > 1e-12 * a || b - a > 1e-12 * a
}

END {
    form = "  %-38s  %-6s  %14s  %14s"
    printf form "  %7s  %8s\n", "metric", "type", "recorded", "received", "samples", "received"
    for (i = 1; i <= count; i++) {
        n = name[i]
        digits = type[n] == "timing" ? "%.6f" : "%d"
        printf form, n, type[n], sprintf (digits, value[n]), n in got ? sprintf (digits, got[n]) : "-"
        if (type[n] == "timing")
            printf "  %7d  %8d", samples[n], times[n]
        if (!(n in got) || differs(value[n], got[n]) || samples[n] + 0 != times[n] + 0) {
            printf "  differs"
            wrong++
        }
        print ""
    }
    if (wrong || !count)
        print "\n" wrong + 0 " of " count + 0 " metrics differ"
    else
        print "\n" count " metrics, " lines " lines: received as recorded"
    exit wrong || !count
}
