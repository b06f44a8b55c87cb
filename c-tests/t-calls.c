/* The list of all functions, calls.h, is the list of what is exported.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#include <stdio.h>
#include <string.h>

#include "calls.h"
#include "tap.h"

#define NAME(name, good, null) #name,

static const char *const calls[] = { CALLS (NAME) };

#define COUNT (sizeof (calls) / sizeof (calls[0]))

int main (void)
{
    FILE *f = fopen (EXPORTS, "r");
    bool exported[COUNT] = { false };
    char line[128];

    if (!f)
        bail_out ("there is no " EXPORTS);
    while (fgets (line, sizeof (line), f)) {
        size_t i = 0;

        line[strcspn (line, "\n")] = '\0';
        while (i < COUNT && strcmp (calls[i], line))
            i++;
        if (ok (i < COUNT, "%s has a row in calls.h", line))
            exported[i] = true;
    }
    fclose (f);
    for (size_t i = 0; i < COUNT; i++) {
        if (!exported[i])
            ok (false, "%s is exported", calls[i]);
    }
    return done_testing ();
}
