//! What can go wrong with a call, in the core's terms.

#![forbid(unsafe_code)]

/// Why a call failed. The C surface turns each into an `errno` value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// An argument that no context could take (`EINVAL`).
    Invalid,
    /// A line longer than a datagram (`EMSGSIZE`).
    TooBig,
    /// The kernel has not taken everything yet (`EAGAIN`).
    Again,
    /// A name longer than the dialect's servers bear (`ENAMETOOLONG`).
    NameTooLong,
    /// As many metrics as there may be (`ENOSPC`).
    NoSpace,
    /// The dialect has no tags, or no sets (`ENOTSUP`).
    NotSupported,
    /// A gauge kept by increments leaves 64 bits (`ERANGE`).
    Range,
    /// No memory for what the caller asked (`ENOMEM`).
    NoMemory,
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Error::Invalid => "not a value that can be taken",
            Error::TooBig => "longer than a datagram",
            Error::Again => "the kernel has not taken everything yet",
            Error::NameTooLong => "a name longer than the dialect's servers bear",
            Error::NoSpace => "as many metrics as there may be",
            Error::NotSupported => "the dialect has no tags, or no sets",
            Error::Range => "out of 64 bits",
            Error::NoMemory => "no memory",
        })
    }
}

impl std::error::Error for Error {}

impl Error {
    /// The `errno` value that tells a C caller of this error.
    pub const fn errno(self) -> i32 {
        match self {
            Error::Invalid => libc::EINVAL,
            Error::TooBig => libc::EMSGSIZE,
            Error::Again => libc::EAGAIN,
            Error::NameTooLong => libc::ENAMETOOLONG,
            Error::NoSpace => libc::ENOSPC,
            Error::NotSupported => libc::ENOTSUP,
            Error::Range => libc::ERANGE,
            Error::NoMemory => libc::ENOMEM,
        }
    }
}
