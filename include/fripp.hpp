/* fripp.hpp - fripp.h for C++17, header only
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * What each call does, its errors and its threads are in fripp.h. Here a
 * context is destroyed with its owner, a text may be a string_view, a
 * duration one of std::chrono, and:
 *
 * - a call returns true, or false with errno set. Nothing throws, and all of
 *   it compiles with -fno-exceptions and -fno-rtti;
 * - a context or metric that could not be made is empty, as a null pointer
 *   is: if (!ctx) says so, errno and fripp::error () say why, and its calls
 *   return false with EINVAL;
 * - a text with a NUL inside, which C would cut there, is EINVAL.
 */

#ifndef FRIPP_HPP
#define FRIPP_HPP

#if __cplusplus < 201703L && (!defined (_MSVC_LANG) || _MSVC_LANG < 201703L)
#error "fripp.hpp needs C++17 (-std=c++17); fripp.h needs C++11"
#else

#include <fripp.h>

#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace fripp {

enum class type {
    counter = FRIPP_COUNTER,
    total = FRIPP_TOTAL,
    gauge = FRIPP_GAUGE,
    timer = FRIPP_TIMER,
    histogram = FRIPP_HISTOGRAM,
    set = FRIPP_SET,
};

enum class dialect {
    brubeck = FRIPP_BRUBECK,
    statsd = FRIPP_STATSD,
    dogstatsd = FRIPP_DOGSTATSD,
    telegraf = FRIPP_TELEGRAF,
    graphite = FRIPP_GRAPHITE,
    vector = FRIPP_VECTOR,
    otel = FRIPP_OTEL,
    exporter = FRIPP_EXPORTER,
    gostatsd = FRIPP_GOSTATSD,
};

enum class alert {
    info = FRIPP_ALERT_INFO,
    success = FRIPP_ALERT_SUCCESS,
    warning = FRIPP_ALERT_WARNING,
    error = FRIPP_ALERT_ERROR,
};

enum class status {
    ok = FRIPP_STATUS_OK,
    warning = FRIPP_STATUS_WARNING,
    critical = FRIPP_STATUS_CRITICAL,
    unknown = FRIPP_STATUS_UNKNOWN,
};

using milliseconds = std::chrono::duration<double, std::milli>;
using seconds = std::chrono::duration<double>;

/* A text, for one call. A text that ends in a NUL is not copied; a view is
 * copied, without an allocation if it has at most 255 bytes.
 */
class text {
public:
    text (const char *s) noexcept : s_ (s) {}

    text (const std::string &s) noexcept : s_ (s.c_str ())
    {
        refuse_nul (s);
    }

    text (std::string_view s) noexcept
    {
        char *copy = small_;

        if (!refuse_nul (s))
            return;
        if (s.size () >= sizeof (small_)
            && !(copy = large_ = static_cast<char *> (
                     std::malloc (s.size () + 1)))) {
            errnum_ = ENOMEM;
            return;
        }
        if (!s.empty ())
            std::memcpy (copy, s.data (), s.size ());
        copy[s.size ()] = '\0';
        s_ = copy;
    }

    ~text ()
    {
        std::free (large_);
    }

    text (const text &) = delete;
    text &operator= (const text &) = delete;

    const char *get () const noexcept
    {
        return s_;
    }

    /* Whether C can read it; otherwise errno says why. */
    bool valid () const noexcept
    {
        if (errnum_)
            errno = errnum_;
        return !errnum_;
    }

private:
    bool refuse_nul (std::string_view s) noexcept
    {
        if (s.find ('\0') != s.npos)
            errnum_ = EINVAL;
        return !errnum_;
    }

    const char *s_ = nullptr;
    char *large_ = nullptr;
    int errnum_ = 0;
    char small_[256];
};

/* A timer, which starts when it is made. */
class timer {
public:
    timer () noexcept
    {
        restart ();
    }

    void restart () noexcept
    {
        fripp_timer_start (&t_);
    }

    milliseconds elapsed () const noexcept
    {
        return milliseconds (fripp_timer_elapsed (&t_));
    }

    const fripp_timer *get () const noexcept
    {
        return &t_;
    }

private:
    fripp_timer t_ = FRIPP_TIMER_INIT;
};

namespace detail {

/* Whether an integer fits into what the call takes; otherwise ERANGE. */
template <typename Call, typename T>
bool fits (T value) noexcept
{
    using limits = std::numeric_limits<Call>;
    bool good = true;

    static_assert (std::is_integral_v<T> && !std::is_same_v<T, bool>,
                   "a number is wanted");
    if constexpr (std::is_unsigned_v<T> && sizeof (T) >= sizeof (Call))
        good = value <= static_cast<T> (limits::max ());
    else if constexpr (sizeof (T) > sizeof (Call))
        good = value >= limits::min () && value <= limits::max ();
    if (!good)
        errno = ERANGE;
    return good;
}

} // namespace detail

/* A metric, looked up once. Its context owns it. It may be copied, and is
 * valid until the context is destroyed.
 */
class metric {
public:
    metric () noexcept = default;
    explicit metric (fripp_metric *m) noexcept : m_ (m) {}

    explicit operator bool () const noexcept
    {
        return m_;
    }

    fripp_metric *get () const noexcept
    {
        return m_;
    }

    bool add (std::int64_t n = 1) const noexcept
    {
        return !fripp_metric_add (m_, n);
    }

    /* An integer, or a real number, which only a gauge takes. */
    template <typename T>
    bool set (T value) const noexcept
    {
        if constexpr (std::is_floating_point_v<T>)
            return !fripp_metric_set_real (m_, static_cast<double> (value));
        else
            return detail::fits<std::int64_t> (value)
                && !fripp_metric_set (m_, static_cast<std::int64_t> (value));
    }

    bool record (double value) const noexcept
    {
        return !fripp_metric_record (m_, value);
    }

    template <typename Rep, typename Period>
    bool record (std::chrono::duration<Rep, Period> time) const noexcept
    {
        return record (milliseconds (time).count ());
    }

    bool unique (const text &member) const noexcept
    {
        return member.valid () && !fripp_metric_unique (m_, member.get ());
    }

    bool stop (const timer &t) const noexcept
    {
        return !fripp_metric_stop (m_, t.get ());
    }

private:
    fripp_metric *m_ = nullptr;
};

/* The owner of a context. Its destructor sends what is pending, for at most
 * 100 ms.
 */
class context {
public:
    context () noexcept = default;

    /* Take over a context of C. */
    explicit context (fripp_ctx *ctx) noexcept : ctx_ (ctx) {}

    explicit context (const text &uri, flux_t *h = nullptr) noexcept
        : ctx_ (create_uri (uri, h))
    {
    }

    context (const text &hostname, int port, flux_t *h = nullptr) noexcept
        : ctx_ (hostname.valid ()
                    ? fripp_ctx_create (h, hostname.get (), port)
                    : nullptr)
    {
    }

    /* From FLUX_FRIPP_STATSD; disabled if that is unset. */
    static context from_environment (flux_t *h = nullptr) noexcept
    {
        return context (fripp_ctx_create_uri (h, nullptr));
    }

    ~context ()
    {
        fripp_ctx_destroy (ctx_);
    }

    context (context &&other) noexcept : ctx_ (other.release ()) {}

    context &operator= (context &&other) noexcept
    {
        if (this != &other)
            fripp_ctx_destroy (std::exchange (ctx_, other.release ()));
        return *this;
    }

    explicit operator bool () const noexcept
    {
        return ctx_;
    }

    fripp_ctx *get () const noexcept
    {
        return ctx_;
    }

    fripp_ctx *release () noexcept
    {
        return std::exchange (ctx_, nullptr);
    }

    bool enabled () const noexcept
    {
        return fripp_enabled (ctx_);
    }

    /* -- metrics by name -- */

    bool inc (const text &name, std::int64_t n = 1) noexcept
    {
        return name.valid () && !fripp_inc (ctx_, name.get (), n);
    }

    template <typename T>
    bool count (const text &name, T total) noexcept
    {
        return name.valid () && detail::fits<ssize_t> (total)
            && !fripp_count (ctx_, name.get (), static_cast<ssize_t> (total));
    }

    /* An integer, or a real number. */
    template <typename T>
    bool gauge (const text &name, T value) noexcept
    {
        if constexpr (std::is_floating_point_v<T>)
            return name.valid ()
                && !fripp_gauge_real (ctx_, name.get (),
                                      static_cast<double> (value));
        else
            return name.valid () && detail::fits<ssize_t> (value)
                && !fripp_gauge (ctx_, name.get (),
                                 static_cast<ssize_t> (value), false);
    }

    bool gauge_add (const text &name, std::int64_t n) noexcept
    {
        return name.valid () && !fripp_gauge_add (ctx_, name.get (), n);
    }

    bool timing (const text &name, double ms) noexcept
    {
        return name.valid () && !fripp_timing (ctx_, name.get (), ms);
    }

    template <typename Rep, typename Period>
    bool timing (const text &name,
                 std::chrono::duration<Rep, Period> time) noexcept
    {
        return timing (name, milliseconds (time).count ());
    }

    bool timing (const text &name, const timer &t) noexcept
    {
        return name.valid ()
            && !fripp_timer_stop (ctx_, name.get (), t.get ());
    }

    bool histogram (const text &name, double value) noexcept
    {
        return name.valid () && !fripp_histogram (ctx_, name.get (), value);
    }

    bool unique (const text &name, const text &member) noexcept
    {
        return name.valid () && member.valid ()
            && !fripp_unique (ctx_, name.get (), member.get ());
    }

    bool send (const text &name, double value, type type) noexcept
    {
        return name.valid ()
            && !fripp_send (ctx_, name.get (), value,
                            static_cast<fripp_type> (type));
    }

    bool forget (const text &name) noexcept
    {
        return name.valid () && !fripp_forget (ctx_, name.get ());
    }

    /* -- metrics by handle -- */

    fripp::metric metric (type type, const text &name,
                          const text &tags = "") noexcept
    {
        if (!name.valid () || !tags.valid ())
            return fripp::metric ();
        return fripp::metric (
            fripp_metric_get (ctx_, static_cast<fripp_type> (type),
                              name.get (), tags.get ()));
    }

    /* -- lines that the caller writes -- */

    /* Sends lines now, or with the next flush. */
    bool send_lines (std::string_view lines) noexcept
    {
        return printable (lines)
            && !fripp_format_send (ctx_, "%.*s",
                                   static_cast<int> (lines.size ()),
                                   lines.empty () ? "" : lines.data ());
    }

    bool append_lines (std::string_view lines) noexcept
    {
        return printable (lines)
            && !fripp_packet_appendf (ctx_, "%.*s",
                                      static_cast<int> (lines.size ()),
                                      lines.empty () ? "" : lines.data ());
    }

    bool sendf (const char *fmt, ...) noexcept FRIPP_PRINTF (2, 3);
    bool vsendf (const char *fmt, va_list ap) noexcept FRIPP_PRINTF (2, 0);
    bool appendf (const char *fmt, ...) noexcept FRIPP_PRINTF (2, 3);
    bool vappendf (const char *fmt, va_list ap) noexcept FRIPP_PRINTF (2, 0);

    /* -- events and service checks, of the dialect dogstatsd -- */

    bool event (const text &title, const text &body,
                alert alert = fripp::alert::info,
                const text &tags = "") noexcept
    {
        return title.valid () && body.valid () && tags.valid ()
            && !fripp_event (ctx_, title.get (), body.get (),
                             static_cast<fripp_alert> (alert), tags.get ());
    }

    bool service_check (const text &name, status status,
                        const text &message = "",
                        const text &tags = "") noexcept
    {
        return name.valid () && message.valid () && tags.valid ()
            && !fripp_service_check (ctx_, name.get (),
                                     static_cast<fripp_status> (status),
                                     message.get (), tags.get ());
    }

    /* -- settings and state -- */

    bool set_prefix (const text &prefix) noexcept
    {
        return prefix.valid () && !fripp_set_prefix (ctx_, prefix.get ());
    }

    bool set_tags (const text &tags) noexcept
    {
        return tags.valid () && !fripp_set_tags (ctx_, tags.get ());
    }

    bool set_agg_period (seconds period) noexcept
    {
        return !fripp_set_agg_period (ctx_, period.count ());
    }

    bool set_dialect (dialect dialect) noexcept
    {
        return !fripp_set_dialect (ctx_, static_cast<fripp_dialect> (dialect));
    }

    /* log is called as log (int level, std::string_view text). It must live
     * as long as the context, and must not throw.
     */
    template <typename F>
    bool set_log (F &log) noexcept
    {
        static_assert (!std::is_const_v<F> && std::is_class_v<F>,
                       "an object that can be called");
        return !fripp_set_log (
            ctx_,
            [] (int level, const char *text, void *arg) noexcept {
                (*static_cast<F *> (arg)) (level, std::string_view (text));
            },
            &log);
    }

    /* Messages go to Flux's log again, or nowhere. */
    bool unset_log () noexcept
    {
        return !fripp_set_log (ctx_, nullptr, nullptr);
    }

    bool flush () noexcept
    {
        return !fripp_flush (ctx_);
    }

    bool get_stats (fripp_stats &stats) const noexcept
    {
        return !fripp_get_stats (ctx_, &stats, sizeof (stats));
    }

private:
    static fripp_ctx *create_uri (const text &uri, flux_t *h) noexcept
    {
        /* C reads the environment for NULL */
        if (uri.valid () && !uri.get ())
            errno = EINVAL;
        return uri.get () ? fripp_ctx_create_uri (h, uri.get ()) : nullptr;
    }

    static bool printable (std::string_view lines) noexcept
    {
        if (lines.find ('\0') == lines.npos && lines.size () <= INT_MAX)
            return true;
        errno = EINVAL;
        return false;
    }

    fripp_ctx *ctx_ = nullptr;
};

inline bool context::sendf (const char *fmt, ...) noexcept
{
    va_list ap;
    bool sent;

    va_start (ap, fmt);
    sent = vsendf (fmt, ap);
    va_end (ap);
    return sent;
}

inline bool context::vsendf (const char *fmt, va_list ap) noexcept
{
    return !fripp_vformat_send (ctx_, fmt, ap);
}

inline bool context::appendf (const char *fmt, ...) noexcept
{
    va_list ap;
    bool kept;

    va_start (ap, fmt);
    kept = vappendf (fmt, ap);
    va_end (ap);
    return kept;
}

inline bool context::vappendf (const char *fmt, va_list ap) noexcept
{
    return !fripp_packet_vappendf (ctx_, fmt, ap);
}

/* Records the time from its construction to the end of its scope. */
class scoped_timer {
public:
    explicit scoped_timer (metric m) noexcept : m_ (m) {}

    scoped_timer (context &ctx, const text &name,
                  const text &tags = "") noexcept
        : m_ (ctx.metric (type::timer, name, tags))
    {
    }

    ~scoped_timer ()
    {
        int errnum = errno;

        if (m_)
            m_.stop (t_);
        errno = errnum;
    }

    scoped_timer (const scoped_timer &) = delete;
    scoped_timer &operator= (const scoped_timer &) = delete;

    /* Records nothing, for example after a failure. */
    void cancel () noexcept
    {
        m_ = metric ();
    }

private:
    metric m_;
    timer t_;
};

/* Why the last call that failed on this thread failed; "" before the first
 * one. Valid until the next call that fails on this thread.
 */
inline const char *error () noexcept
{
    return fripp_error ();
}

/* The version of the library in use. */
inline const char *version () noexcept
{
    return fripp_version ();
}

} // namespace fripp

#endif // C++17

#endif // FRIPP_HPP
