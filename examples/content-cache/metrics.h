/* metrics.h - a context of libfripp for each module
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef METRICS_H
#define METRICS_H

#include <fripp.h>

/* A context whose endpoint FLUX_FRIPP_STATSD names, or the end of the
 * program where that is not a URI. Disabled where it is not set.
 */
struct fripp_ctx *metrics_create (void);

/* Send what is pending, and tell where not all was sent.
 */
void metrics_destroy (struct fripp_ctx *ctx);

#endif /* METRICS_H */

/* vi: ts=4 sw=4 expandtab
 */
