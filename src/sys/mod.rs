//! Safe functions for what the core needs of the system and the standard
//! library does not have.

pub mod container;
pub mod flux;
pub mod fork_lock;
pub mod generation;
pub mod mapped;
pub mod memory;
pub mod thread;

pub use generation::generation;

use std::alloc::{Layout, alloc_zeroed};
use std::ffi::{CStr, c_int, c_void};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// CLOCK_MONOTONIC in nanoseconds.
pub fn now() -> u64 {
    clock(libc::CLOCK_MONOTONIC)
}

/// The same clock as it was at the last tick of the kernel, at most a few ms
/// ago. It costs a fraction of the other.
pub fn roughly_now() -> u64 {
    clock(libc::CLOCK_MONOTONIC_COARSE)
}

/// The processor time of this thread, in nanoseconds.
pub fn thread_time() -> u64 {
    clock(libc::CLOCK_THREAD_CPUTIME_ID)
}

fn clock(clock: libc::clockid_t) -> u64 {
    let mut ts = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: the pointer is to a timespec; these clocks always exist.
    let ts = unsafe {
        libc::clock_gettime(clock, ts.as_mut_ptr());
        ts.assume_init()
    };
    ts.tv_sec as u64 * 1_000_000_000 + ts.tv_nsec as u64
}

/// So many zeros, in memory that is not touched before it is used. `None`
/// without memory for it.
pub fn zeroed(count: usize) -> Option<Vec<u32>> {
    let layout = Layout::array::<u32>(count).ok().filter(|layout| layout.size() > 0)?;
    // SAFETY: the layout is not empty.
    let at = unsafe { alloc_zeroed(layout) };
    if at.is_null() {
        memory::note_short();
        return None;
    }
    // SAFETY: it was allocated as a Vec does, and 0 is a number.
    Some(unsafe { Vec::from_raw_parts(at.cast(), count, count) })
}

/// Distinguishes a descriptor from another that has taken its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileId {
    device: libc::dev_t,
    inode: libc::ino_t,
}

/// The identity of an open descriptor, or `None` where it is closed.
pub fn file_id(fd: BorrowedFd<'_>) -> Option<FileId> {
    let mut stat = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: fstat takes any number and fills the struct where it returns 0.
    let stat = unsafe {
        if libc::fstat(fd.as_raw_fd(), stat.as_mut_ptr()) != 0 {
            return None;
        }
        stat.assume_init()
    };
    Some(FileId { device: stat.st_dev, inode: stat.st_ino })
}

/// Moves a descriptor away from 0, 1 and 2: a host that has closed these
/// would print into it. It is close-on-exec.
pub fn above_standard(fd: OwnedFd) -> std::io::Result<OwnedFd> {
    const FIRST: c_int = libc::STDERR_FILENO + 1;
    if fd.as_raw_fd() >= FIRST {
        return Ok(fd);
    }
    // SAFETY: fcntl takes any number; nothing else owns the new one.
    unsafe {
        match libc::fcntl(fd.as_raw_fd(), libc::F_DUPFD_CLOEXEC, FIRST) {
            -1 => Err(std::io::Error::last_os_error()),
            moved => Ok(OwnedFd::from_raw_fd(moved)),
        }
    }
}

/// Whether the process has rights that its caller has not (set-user-ID): the
/// environment is not to be trusted.
pub fn is_privileged() -> bool {
    // SAFETY: it reads what the kernel gave the process.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// A thread of this library, as the number that its `pthread_t` is (on musl a
/// pointer). Dropped, it goes on by itself.
#[derive(Debug)]
pub struct Thread(usize);

impl Thread {
    /// Whether it is the calling thread.
    pub fn is_current(&self) -> bool {
        thread_id() == self.0
    }

    /// Waits for its end.
    pub fn join(self) {
        // SAFETY: it was neither joined nor detached, and is forgotten below.
        unsafe { libc::pthread_join(self.0 as libc::pthread_t, std::ptr::null_mut()) };
        std::mem::forget(self);
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        // SAFETY: it was neither joined nor detached.
        unsafe { libc::pthread_detach(self.0 as libc::pthread_t) };
    }
}

/// What a thread runs.
type Run = Box<dyn FnOnce() + Send>;

/// How a thread is asked for: one that cannot be had (a stack too small for
/// the host's thread-local variables, a policy that may not be changed) is
/// asked for with less.
const WISHES: [Wish; 3] = [
    Wish { small_stack: true, plain_policy: true },
    Wish { small_stack: false, plain_policy: true },
    Wish { small_stack: false, plain_policy: false },
];

struct Wish {
    small_stack: bool,
    plain_policy: bool,
}

unsafe extern "C" {
    fn pthread_attr_setinheritsched(attr: *mut libc::pthread_attr_t, inherit: c_int) -> c_int;
    fn pthread_attr_setschedpolicy(attr: *mut libc::pthread_attr_t, policy: c_int) -> c_int;
    fn pthread_attr_setschedparam(
        attr: *mut libc::pthread_attr_t,
        param: *const libc::sched_param,
    ) -> c_int;
}
const PTHREAD_EXPLICIT_SCHED: c_int = 1;

/// Calls pthread_create.
///
/// # Safety
/// `start` can be called with `arg`.
unsafe fn create(
    wish: &Wish,
    start: extern "C" fn(*mut c_void) -> *mut c_void,
    arg: *mut c_void,
) -> Result<Thread, c_int> {
    let mut attr = MaybeUninit::<libc::pthread_attr_t>::uninit();
    let mut thread = MaybeUninit::<libc::pthread_t>::uninit();
    // SAFETY: both are valid for writing; the thread is there where the code
    // is 0.
    unsafe {
        libc::pthread_attr_init(attr.as_mut_ptr());
        if wish.small_stack {
            libc::pthread_attr_setstacksize(attr.as_mut_ptr(), 1024 * 1024);
        }
        if wish.plain_policy {
            pthread_attr_setschedpolicy(attr.as_mut_ptr(), libc::SCHED_OTHER);
            // not said, the priority would be that of the calling thread
            let zeros = MaybeUninit::<libc::sched_param>::zeroed();
            pthread_attr_setschedparam(attr.as_mut_ptr(), zeros.as_ptr());
            pthread_attr_setinheritsched(attr.as_mut_ptr(), PTHREAD_EXPLICIT_SCHED);
        }
        let code = libc::pthread_create(thread.as_mut_ptr(), attr.as_ptr(), start, arg);
        libc::pthread_attr_destroy(attr.as_mut_ptr());
        if code == 0 { Ok(Thread(thread.assume_init() as usize)) } else { Err(code) }
    }
}

/// Lets the calling thread run where the process may, and not only where the
/// thread may that made it.
fn run_anywhere() {
    let mut cpus = MaybeUninit::<libc::cpu_set_t>::uninit();
    // SAFETY: the set has the size given, and is read where it was written.
    unsafe {
        let size = size_of::<libc::cpu_set_t>();
        if libc::sched_getaffinity(libc::getpid(), size, cpus.as_mut_ptr()) == 0 {
            libc::sched_setaffinity(0, size, cpus.as_ptr());
        }
    }
}

/// Starts a thread with all signals blocked, so that the host's handlers and
/// signalfds get them, with the default policy, and on the processors of the
/// process's first thread. Not the standard library's, which installs handlers of
/// stack overflows and hooks that a library should not, and takes 14 KiB.
pub fn spawn(name: &'static CStr, run: Run) -> std::io::Result<Thread> {
    extern "C" fn start(arg: *mut c_void) -> *mut c_void {
        // SAFETY: `spawn` made it so, for this one call.
        let started = unsafe { Box::from_raw(arg.cast::<(&CStr, Run)>()) };
        let (name, run) = *started;
        run_anywhere();
        // SAFETY: the calling thread, and a C string.
        unsafe { libc::pthread_setname_np(libc::pthread_self(), name.as_ptr()) };
        // a panic has been dealt with by the hook; it ends the thread
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
        std::ptr::null_mut()
    }
    let mut all = MaybeUninit::<libc::sigset_t>::uninit();
    let mut before = MaybeUninit::<libc::sigset_t>::uninit();
    let arg: *mut c_void = Box::into_raw(Box::new((name, run))).cast();
    // SAFETY: all of these are valid for writing; the new thread inherits the
    // mask, and the caller gets its own back; `arg` is the new thread's where
    // there is one.
    unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
        let mut created = Err(libc::EAGAIN);
        for wish in &WISHES {
            created = create(wish, start, arg);
            if !matches!(created, Err(libc::EINVAL | libc::EPERM)) {
                break;
            }
        }
        libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), std::ptr::null_mut());
        created.map_err(|code| {
            drop(Box::from_raw(arg.cast::<(&CStr, Run)>()));
            std::io::Error::from_raw_os_error(code)
        })
    }
}

/// Writes a line to stderr, where that does not wait. From a thread with all
/// signals blocked: a broken pipe sends one.
pub fn print_error(text: &str) {
    let line = format!("{text}\n");
    let mut ready = libc::pollfd { fd: libc::STDERR_FILENO, events: libc::POLLOUT, revents: 0 };
    // SAFETY: one pollfd, and a buffer of the length given.
    unsafe {
        if libc::poll(&mut ready, 1, 0) == 1 && ready.revents & libc::POLLOUT != 0 {
            libc::write(libc::STDERR_FILENO, line.as_ptr().cast(), line.len());
        }
    }
}

/// The name of this host.
pub fn hostname() -> String {
    let mut name = [0u8; 256];
    // SAFETY: the buffer has the length given, less one for a NUL.
    unsafe { libc::gethostname(name.as_mut_ptr().cast(), name.len() - 1) };
    let len = name.iter().position(|b| *b == 0).unwrap_or(0);
    String::from_utf8_lossy(&name[..len]).into_owned()
}

/// A number for the calling thread that no other living thread has.
pub fn thread_id() -> usize {
    // SAFETY: it cannot fail.
    unsafe { libc::pthread_self() as usize }
}
