//! Sends datagrams to the server: which are sent now, which wait, and over
//! which socket. Over a stream, the lines of each follow those of the one
//! before, each with a newline.
//!
//! | the kernel says | then |
//! |---|---|
//! | taken | it is counted. A UDP refusal of it can still come with the next call |
//! | `EAGAIN`, `ENOBUFS` | it waits, and is retried after 1 ms, up to 100 ms |
//! | refused at once | it waits: the next address is tried, or this one again after 10 ms, up to 500 ms |
//! | refused, reported by the next datagram of a flush's burst, or by the look after the last one | both wait, in order, as above |
//! | another error, at a datagram of a burst | it is tried again: if that goes, the error was of the one before, which is lost and counted (`dropped_send`), or waits if this one is refused, too |
//! | refused, reported by the next call | the datagram before is lost and counted (`dropped_send`); this one is sent |
//! | no socket at a UNIX path, no address of the name yet | it waits, as above; lookups come after 1 s, up to 60 s |
//! | `EMSGSIZE` | it is larger than the path to this server takes: lost, `dropped_oversize` |
//! | taken, for a minute | in a pause of half a second a new socket takes the place of one to another host |
//! | a UNIX socket is full for half a second | a new one is tried: the path may be another server's by now |
//! | no descriptor for a socket | the socket of another context with the same address is used; one of its own is tried for after 1 s, up to 60 s |
//!
//! Of a stream:
//!
//! | the kernel says | then |
//! |---|---|
//! | a part is taken | the lines in it are counted; the rest goes before everything else |
//! | `EAGAIN`, also while the connection is being opened | it waits, as above |
//! | not open after 3 s | the next address is tried |
//! | the server has closed it, or it broke | the line that was not wholly taken goes first over the next connection, after 10 ms, up to 500 ms |
//! | no descriptor for a socket | it waits: nobody else's is used |
//!
//! In a burst of a flush the kernel is asked once, after the last datagram: it
//! does not take a datagram while it has a refusal to report. `Delivery` has the
//! bytes of the last one until then, in a second buffer. What waited already, and
//! a metric that is sent by its call, is asked for each time. UNIX sockets
//! refuse at once, and are not asked.
//!
//! On a shared socket, sending and looking for a refusal are one step under
//! its lock, so each context learns only of refusals of its own datagrams.
//!
//! Numbers are never dropped for lack of space. `buffer` limits the memory of
//! samples and members; what they and appended lines leave of it limits the
//! datagrams that wait, of which the oldest are dropped first
//! (`dropped_full`).

#![forbid(unsafe_code)]

pub mod address;
pub mod addresses;
pub mod backoff;
pub mod connection;
pub mod delivery;
pub mod descriptor;
pub mod endpoint;
pub mod pace;
pub mod queue;
pub mod renewal;
pub mod resolver;
pub mod socket;
pub mod socket_pool;
pub mod stream;
