/* Every name of the header. */
#include <fripp.h>

#include "../calls.h"

#if FRIPP_VERSION_NUMBER < 0x000100
#error "FRIPP_VERSION_NUMBER"
#endif

static void write_log (int level, const char *text, void *arg)
{
    (void)level;
    (void)text;
    (void)arg;
}

/* each function has an address, whatever it is called with */
#define ADDRESS(name, good, null) (void (*) (void))name,

static void (*const functions[]) (void) = { CALLS (ADDRESS) };

static int missing (void)
{
    int n = 0;

    for (size_t i = 0; i < sizeof (functions) / sizeof (functions[0]); i++)
        n += !functions[i];
    return n;
}

static int metrics (struct fripp_ctx *ctx)
{
    struct fripp_timer t = FRIPP_TIMER_INIT;
    struct fripp_metric *m;
    enum fripp_type type = FRIPP_COUNTER;
    enum fripp_dialect dialect = FRIPP_DOGSTATSD;
    double ms;
    int rc = 0;

    fripp_timer_start (&t);
    ms = fripp_timer_elapsed (&t);
    rc |= fripp_set_dialect (ctx, dialect);
    rc |= fripp_set_prefix (ctx, "p.{{rank}}");
    rc |= fripp_set_tags (ctx, "k:v");
    rc |= fripp_set_agg_period (ctx, 10);
    rc |= fripp_packet_appendf (ctx, "a:%d|c", 1);
    rc |= call_vappendf (ctx, "a:%d|c", 1);
    rc |= fripp_count (ctx, "total", 1);
    rc |= fripp_inc (ctx, "events", 1);
    rc |= fripp_gauge (ctx, "gauge", 1, true);
    rc |= fripp_gauge_real (ctx, "real", 1.5);
    rc |= fripp_timing (ctx, "timing", ms);
    rc |= fripp_histogram (ctx, "histogram", 1.5);
    rc |= fripp_unique (ctx, "set", "member");
    rc |= fripp_send (ctx, "sent", 1, FRIPP_HISTOGRAM);
    rc |= fripp_timer_stop (ctx, "timing", &t);
    m = fripp_metric_get (ctx, type, "events", "k:v");
    rc |= fripp_metric_add (m, 1);
    m = fripp_metric_get (ctx, FRIPP_TOTAL, "total", "");
    rc |= fripp_metric_set (m, 1);
    m = fripp_metric_get (ctx, FRIPP_GAUGE, "gauge", "");
    rc |= fripp_metric_set_real (m, 1.5);
    m = fripp_metric_get (ctx, FRIPP_TIMER, "timing", "");
    rc |= fripp_metric_record (m, 1.5);
    rc |= fripp_metric_stop (m, &t);
    m = fripp_metric_get (ctx, FRIPP_SET, "set", "");
    rc |= fripp_metric_unique (m, "member");
    rc |= fripp_forget (ctx, "set");
    (void)fripp_flush (ctx);
    return rc;
}

int main (void)
{
    struct fripp_ctx *ctx = fripp_ctx_create_uri (0, "127.0.0.1:9");
    struct fripp_stats stats;
    const char *version = fripp_version ();
    bool enabled = fripp_enabled (ctx);
    char packet[FRIPP_MAX_PACKET_LEN];
    uint64_t sum;
    int rc = missing ();

    (void)packet;
    rc |= fripp_set_log (ctx, write_log, 0);
    rc |= fripp_format_send (ctx, "a:%d|c", 1);
    rc |= fripp_sendf (ctx, "a:%s|c", "1");
    rc |= call_vformat_send (ctx, "a:%f|ms", 1.5);
    rc |= metrics (ctx);
    rc |= fripp_get_stats (ctx, &stats, sizeof (stats));
    sum = stats.lines + stats.datagrams + stats.bytes + stats.dropped
          + stats.dropped_invalid + stats.dropped_oversize
          + stats.dropped_full + stats.dropped_send + stats.pending
          + stats.send_errors + stats.reconnects + stats.resolutions;
    fripp_ctx_destroy (ctx);
    return rc != 0 || !enabled || !version[0] || sum == 0 ? 1 : 0;
}
