/* The header before Flux's. */
#include <fripp.h>
#include <flux/core.h>

int main (void)
{
    flux_t *h = 0;
    struct fripp_ctx *ctx = fripp_ctx_create (h, 0, 0);

    flux_close (h);
    fripp_ctx_destroy (ctx);
    return 0;
}
