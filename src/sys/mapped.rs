//! The code of the library stays mapped, in whatever object it is.

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// A program's headers are on its first page.
const PAGE: usize = 4096;

/// Makes a `dlclose` of the object that holds this code leave it mapped.
/// Threads and handlers of the library may run later. `libfripp.so` is linked
/// with `-z nodelete`; a plug-in that has `libfripp.a` in it may not be.
///
/// It takes the lock of the dynamic linker, which a thread holds that runs
/// a constructor and may wait for a lock of the library: the caller has none.
pub fn keep() {
    static KEPT: AtomicBool = AtomicBool::new(false);
    if !KEPT.load(Relaxed) {
        keep_this_object();
        KEPT.store(true, Relaxed);
    }
}

fn keep_this_object() {
    let mut info = MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: dladdr fills the struct, if it returns another value than 0; the
    // name is a C string that lives as long as the object.
    unsafe {
        let here = keep_this_object as fn() as *const c_void;
        if libc::dladdr(here, info.as_mut_ptr()) == 0 {
            return;
        }
        let info = info.assume_init();
        // the headers of the program itself, which is never unloaded, and
        // whose name the linker would look for in its folders
        let program = libc::getauxval(libc::AT_PHDR) as usize;
        if program.wrapping_sub(info.dli_fbase as usize) < PAGE || info.dli_fname.is_null() {
            return;
        }
        libc::dlopen(info.dli_fname, libc::RTLD_LAZY | libc::RTLD_NOLOAD | libc::RTLD_NODELETE);
    }
}
