/* The header after Flux's. */
#include <flux/core.h>
#include <fripp.h>

int main (void)
{
    flux_t *h = 0;
    struct fripp_ctx *ctx = fripp_ctx_create_uri (h, 0);

    flux_close (h);
    fripp_ctx_destroy (ctx);
    return 0;
}
