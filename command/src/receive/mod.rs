//! What receives: sockets for datagrams or streams, or a file of lines.

mod bind;
mod datagrams;
mod input;
mod multicast;
mod split;
mod streams;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::SocketAddr as UnixAddr;
use std::path::PathBuf;

use fripp::send::endpoint::Endpoint;

use crate::address::{Address, Place};
use bind::Sockets;
use datagrams::Datagrams;
pub use datagrams::Losses;
use input::Input;
use streams::Streams;

/// The longest datagram, over UNIX sockets of the usual settings, too; and the
/// longest line of a stream.
const LONGEST: usize = 256 << 10;

/// Where a datagram or a line came from.
#[derive(Debug)]
pub enum Sender {
    Ip(SocketAddr),
    Unix(UnixAddr),
    /// A file, which has no address.
    File,
}

impl Sender {
    /// The address as an endpoint is written; most UNIX sockets that send
    /// have none.
    pub fn address(&self) -> Option<String> {
        match self {
            Sender::Ip(address) => Some(address.to_string()),
            Sender::Unix(address) => {
                use std::os::linux::net::SocketAddrExt;
                let path = address.as_pathname().map(|path| format!("unix:{}", path.display()));
                let name = |name: &[u8]| format!("unix:@{}", name.escape_ascii());
                path.or_else(|| address.as_abstract_name().map(name))
            }
            Sender::File => None,
        }
    }
}

#[derive(Debug)]
enum Inlet {
    Datagrams(Datagrams),
    Streams(Streams),
    Lines(Input),
}

#[derive(Debug)]
pub struct Receiver {
    inlet: Inlet,
    /// The address, with the port that was chosen, or the file.
    pub bound: String,
    query: Option<String>,
    /// A socket's path, which goes with it.
    path: Option<PathBuf>,
}

impl Receiver {
    pub fn bind(address: Address) -> Result<Receiver, String> {
        let Address { place, query, .. } = address;
        let path = match &place {
            Place::Socket(Endpoint::Path(path) | Endpoint::StreamPath(path)) => Some(path.clone()),
            _ => None,
        };
        let (inlet, bound) = match place {
            Place::Socket(endpoint) => {
                let (sockets, bound) = bind::bind(endpoint)?;
                let inlet = match sockets {
                    Sockets::Datagrams(sockets) => Datagrams::new(sockets).map(Inlet::Datagrams),
                    Sockets::Streams(listeners) => Streams::new(listeners).map(Inlet::Streams),
                };
                (inlet.map_err(|wrong| format!("{bound}: {wrong}"))?, bound.to_string())
            }
            Place::File(path) => (Inlet::Lines(Input::file(&path)?), Place::File(path).to_string()),
            Place::Stdin => (Inlet::Lines(Input::stdin()?), Place::Stdin.to_string()),
        };
        Ok(Receiver { inlet, bound, query, path })
    }

    /// What a program sets `FLUX_FRIPP_STATSD` to, to send here.
    pub fn uri(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.bound),
            None => self.bound.clone(),
        }
    }

    /// Whether it reads a file, and nobody can send to it.
    pub fn is_file(&self) -> bool {
        matches!(self.inlet, Inlet::Lines(_))
    }

    /// Whether nothing more will come.
    pub fn has_ended(&self) -> bool {
        matches!(&self.inlet, Inlet::Lines(input) if input.has_ended)
    }

    /// Takes what is there, `most` datagrams of each socket; less than that is
    /// returned where no more is there.
    pub fn receive(
        &mut self,
        most: usize,
        take: &mut dyn FnMut(&[u8], &Sender),
    ) -> Result<usize, String> {
        let more = |is_more| if is_more { most } else { 0 };
        let named = |wrong| format!("{}: {wrong}", self.bound);
        match &mut self.inlet {
            Inlet::Datagrams(datagrams) => datagrams.receive(most, take).map_err(named),
            Inlet::Streams(streams) => streams.receive(take).map(more).map_err(named),
            Inlet::Lines(input) => input.receive(&mut |lines| take(lines, &Sender::File)).map(more),
        }
    }

    /// What to wait for.
    pub fn fds(&self) -> Vec<BorrowedFd<'_>> {
        match &self.inlet {
            Inlet::Datagrams(datagrams) => datagrams.sockets.iter().map(AsFd::as_fd).collect(),
            Inlet::Streams(streams) => vec![streams.as_fd()],
            Inlet::Lines(input) if input.has_ended => Vec::new(),
            Inlet::Lines(input) => vec![input.as_fd()],
        }
    }

    /// Tells how many datagrams the kernel drops, also while this receives.
    pub fn losses(&self) -> Losses {
        match &self.inlet {
            Inlet::Datagrams(datagrams) => datagrams.losses(),
            Inlet::Streams(_) | Inlet::Lines(_) => Losses::default(),
        }
    }

    /// Says what was passed over.
    pub fn report(&self) {
        let too_long = match &self.inlet {
            Inlet::Datagrams(_) => 0,
            Inlet::Streams(streams) => streams.too_long(),
            Inlet::Lines(input) => input.splitter.too_long,
        };
        if too_long > 0 {
            say!("{too_long} lines were longer than {LONGEST} bytes, and left out");
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            let _ = std::fs::remove_file(path);
        }
    }
}
