//! Streams of TCP or of a UNIX socket, any number of them at once.

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};

use rustix::event::Timespec;
use rustix::event::epoll::{self, EventData, EventFlags};

use super::Sender;
use super::split::Splitter;

const CHUNK: usize = 64 << 10;
/// Looked at in one go; connections that are taken in one go.
const READY: usize = 256;
/// Connections that wait to be taken, as far as the system allows.
const BACKLOG: i32 = 4_096;

#[derive(Debug)]
pub enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

#[derive(Debug)]
enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

#[derive(Debug)]
struct Connection {
    stream: Stream,
    sender: Sender,
    splitter: Splitter,
}

#[derive(Debug)]
pub struct Streams {
    /// What is ready, of listeners and connections: one descriptor to wait
    /// for.
    ready: OwnedFd,
    listeners: Vec<Listener>,
    connections: HashMap<u64, Connection>,
    /// The number of the next connection, after those of the listeners.
    next: u64,
    /// There was no descriptor for another connection: one has to end first.
    is_full: bool,
    /// Of connections that have ended.
    too_long: u64,
    buffer: Box<[u8]>,
}

impl Streams {
    pub fn new(listeners: Vec<Listener>) -> io::Result<Streams> {
        let streams = Streams {
            ready: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            next: listeners.len() as u64,
            listeners,
            connections: HashMap::new(),
            is_full: false,
            too_long: 0,
            buffer: vec![0; CHUNK].into_boxed_slice(),
        };
        streams.listeners.iter().try_for_each(Listener::prepare)?;
        streams.watch_listeners()?;
        Ok(streams)
    }

    /// Takes a chunk of each connection that has one; false if none has.
    pub fn receive(&mut self, take: &mut dyn FnMut(&[u8], &Sender)) -> io::Result<bool> {
        let mut events = Vec::with_capacity(READY);
        let timeout = Timespec::default();
        match epoll::wait(&self.ready, rustix::buffer::spare_capacity(&mut events), Some(&timeout))
        {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(wrong) => return Err(wrong.into()),
        }
        for event in &events {
            let number = event.data.u64();
            match usize::try_from(number).ok().filter(|at| *at < self.listeners.len()) {
                Some(listener) => self.accept(listener)?,
                None => self.read(number, take)?,
            }
        }
        Ok(!events.is_empty())
    }

    /// Lines and frames that were passed over.
    pub fn too_long(&self) -> u64 {
        let of_open = self.connections.values().map(|connection| connection.splitter.too_long);
        self.too_long + of_open.sum::<u64>()
    }

    fn accept(&mut self, listener: usize) -> io::Result<()> {
        for _ in 0..READY {
            let connection = match self.listeners[listener].accept() {
                Ok(connection) => connection,
                Err(wrong) if wrong.kind() == ErrorKind::WouldBlock => break,
                Err(wrong) if is_out_of_descriptors(&wrong) && !self.connections.is_empty() => {
                    self.is_full = true;
                    for listener in &self.listeners {
                        epoll::delete(&self.ready, listener)?;
                    }
                    break;
                }
                // who connected has gone
                Err(wrong) if wrong.kind() == ErrorKind::ConnectionAborted => continue,
                Err(wrong) => return Err(wrong),
            };
            self.watch(&connection.stream, self.next)?;
            self.connections.insert(self.next, connection);
            self.next += 1;
        }
        Ok(())
    }

    fn read(&mut self, number: u64, take: &mut dyn FnMut(&[u8], &Sender)) -> io::Result<()> {
        let Some(connection) = self.connections.get_mut(&number) else { return Ok(()) };
        let Connection { stream, sender, splitter } = connection;
        let mut give = |some: &[u8]| take(some, sender);
        match stream.read(&mut self.buffer) {
            Ok(0) => splitter.end(&mut give),
            Ok(n) => {
                splitter.feed(&self.buffer[..n], &mut give);
                return Ok(());
            }
            Err(wrong)
                if matches!(wrong.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                return Ok(());
            }
            // it was reset: a line that is not whole is none
            Err(_) => {}
        }
        self.too_long += splitter.too_long;
        // to close it takes it out of `ready`
        self.connections.remove(&number);
        if std::mem::take(&mut self.is_full) {
            self.watch_listeners()?;
        }
        Ok(())
    }

    fn watch_listeners(&self) -> io::Result<()> {
        let mut numbered = self.listeners.iter().zip(0..);
        numbered.try_for_each(|(listener, number)| self.watch(listener, number))
    }

    fn watch(&self, fd: impl AsFd, number: u64) -> io::Result<()> {
        Ok(epoll::add(&self.ready, fd, EventData::new_u64(number), EventFlags::IN)?)
    }
}

impl AsFd for Streams {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.ready.as_fd()
    }
}

impl Listener {
    fn prepare(&self) -> io::Result<()> {
        match self {
            Listener::Tcp(listener) => listener.set_nonblocking(true)?,
            Listener::Unix(listener) => listener.set_nonblocking(true)?,
        }
        Ok(rustix::net::listen(self, BACKLOG)?)
    }

    fn accept(&self) -> io::Result<Connection> {
        match self {
            Listener::Tcp(listener) => {
                let (stream, from) = listener.accept()?;
                stream.set_nonblocking(true)?;
                let (stream, sender) = (Stream::Tcp(stream), Sender::Ip(from));
                Ok(Connection { stream, sender, splitter: Splitter::of_lines() })
            }
            Listener::Unix(listener) => {
                let (stream, from) = listener.accept()?;
                stream.set_nonblocking(true)?;
                let (stream, sender) = (Stream::Unix(stream), Sender::Unix(from));
                Ok(Connection { stream, sender, splitter: Splitter::of_lines_or_frames() })
            }
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Listener::Tcp(listener) => listener.as_fd(),
            Listener::Unix(listener) => listener.as_fd(),
        }
    }
}

impl Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.read(buffer),
            Stream::Unix(stream) => stream.read(buffer),
        }
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Stream::Tcp(stream) => stream.as_fd(),
            Stream::Unix(stream) => stream.as_fd(),
        }
    }
}

fn is_out_of_descriptors(wrong: &io::Error) -> bool {
    [rustix::io::Errno::MFILE, rustix::io::Errno::NFILE]
        .iter()
        .any(|errno| wrong.raw_os_error() == Some(errno.raw_os_error()))
}
