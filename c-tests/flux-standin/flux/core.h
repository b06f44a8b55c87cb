/* <flux/core.h> of a stand-in for libflux-core, with what the library and its
 * callers use of Flux. The struct tag behind flux_t is that of Flux 0.28, or
 * of 0.88 where STANDIN_0_88 is defined.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#ifndef FLUX_CORE_H
#define FLUX_CORE_H

#include <stdarg.h>
#include <stdint.h>
#include <syslog.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef STANDIN_0_88
typedef struct flux_handle flux_t;
#else
typedef struct flux_handle_struct flux_t;
#endif

typedef struct flux_reactor flux_reactor_t;
typedef struct flux_watcher flux_watcher_t;
typedef struct flux_future flux_future_t;

typedef void (*flux_free_f) (void *arg);
typedef void (*flux_watcher_f) (flux_reactor_t *r,
                                flux_watcher_t *w,
                                int revents,
                                void *arg);

void flux_close (flux_t *h);
void *flux_aux_get (flux_t *h, const char *name);
int flux_aux_set (flux_t *h, const char *name, void *aux, flux_free_f destroy);
int flux_get_rank (flux_t *h, uint32_t *rank);

int flux_vlog (flux_t *h, int level, const char *fmt, va_list ap);
int flux_log (flux_t *h, int level, const char *fmt, ...)
    __attribute__ ((format (printf, 3, 4)));
void flux_log_error (flux_t *h, const char *fmt, ...)
    __attribute__ ((format (printf, 2, 3)));

flux_reactor_t *flux_get_reactor (flux_t *h);
void flux_reactor_now_update (flux_reactor_t *r);
flux_watcher_t *flux_timer_watcher_create (flux_reactor_t *r,
                                           double after,
                                           double repeat,
                                           flux_watcher_f cb,
                                           void *arg);
flux_watcher_t *flux_prepare_watcher_create (flux_reactor_t *r,
                                             flux_watcher_f cb,
                                             void *arg);
void flux_timer_watcher_reset (flux_watcher_t *w, double after, double repeat);
void flux_watcher_start (flux_watcher_t *w);
void flux_watcher_stop (flux_watcher_t *w);
void flux_watcher_destroy (flux_watcher_t *w);
#ifdef STANDIN_0_88
void flux_watcher_unref (flux_watcher_t *w);
#endif

#ifdef __cplusplus
}
#endif

#endif /* !FLUX_CORE_H */
