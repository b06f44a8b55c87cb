/* SPDX-License-Identifier: MIT OR Apache-2.0 */

#include <fripp-test.h>
#include <fripp-test.h>

int main (void)
{
    struct fripp_test *t = fripp_test_open_unix ("period=0");
    struct fripp_ctx *ctx = t ? fripp_ctx_create_uri (NULL, fripp_test_uri (t))
                              : NULL;
    int failed = !ctx || fripp_inc (ctx, "n", 2) < 0
                 || fripp_test_wait_line (t, "n:2|c", 20000) < 0
                 || fripp_test_counter (t, "n") != 2;

    fripp_ctx_destroy (ctx);
    fripp_test_close (t);
    return failed;
}
