//! The bytes of a metric's key. They change only when a metric that no
//! other thread can reach gets another name.

use std::cell::UnsafeCell;

use crate::error::Error;
use crate::sys::memory;

/// A key up to this long lives in the metric itself.
pub const INLINE: usize = 40;

/// A key; its length is kept beside it.
#[derive(Debug)]
#[repr(transparent)]
pub struct KeyBytes(UnsafeCell<Bytes>);

#[derive(Debug)]
#[repr(C)]
struct Bytes {
    long: Option<Long>,
    inline: [u8; INLINE],
}

/// A longer one: the start of a boxed slice.
#[derive(Debug)]
struct Long(std::ptr::NonNull<u8>);

// SAFETY: they are read by many, and written by one whom no reader meets:
// see `replace`.
unsafe impl Sync for KeyBytes {}
// SAFETY: only `Long` owns its box.
unsafe impl Send for KeyBytes {}

impl Bytes {
    fn long(&self, len: usize) -> &[u8] {
        // SAFETY: it has the length that it was made with.
        let slice = |long: &Long| unsafe { std::slice::from_raw_parts(long.0.as_ptr(), len) };
        self.long.as_ref().map_or(&[], slice)
    }
}

impl KeyBytes {
    /// No bytes.
    pub const fn empty() -> KeyBytes {
        KeyBytes(UnsafeCell::new(Bytes { long: None, inline: [0; INLINE] }))
    }

    /// The bytes, which are so many.
    #[inline]
    pub fn get(&self, len: usize) -> &[u8] {
        // SAFETY: no thread writes while there are readers, and the length was
        // looked at.
        unsafe {
            let bytes = &*self.0.get();
            if len <= INLINE { bytes.inline.get_unchecked(..len) } else { bytes.long(len) }
        }
    }

    /// The place of a short key, with any bytes that follow it.
    #[inline]
    pub fn inline(&self) -> &[u8; INLINE] {
        // SAFETY: no thread writes while there are readers.
        unsafe { &(*self.0.get()).inline }
    }

    /// Puts other bytes in the place of those, which were `len`.
    ///
    /// # Safety
    /// No other thread uses this key, and no one has a reference to its bytes.
    pub unsafe fn replace(&self, len: usize, key: &[u8]) -> Result<(), Error> {
        let mut long = None;
        if key.len() > INLINE {
            let mut bytes = Vec::new();
            bytes.try_reserve_exact(key.len()).map_err(|_| Error::NoMemory)?;
            memory::probe()?;
            bytes.extend_from_slice(key);
            let start: *mut [u8] = Box::into_raw(bytes.into_boxed_slice());
            long = std::ptr::NonNull::new(start.cast()).map(Long);
        }
        // SAFETY: the caller vouches for it.
        let bytes = unsafe { &mut *self.0.get() };
        free(std::mem::replace(&mut bytes.long, long), len);
        if let Some(inline) = bytes.inline.get_mut(..key.len()) {
            inline.copy_from_slice(key);
        }
        Ok(())
    }

    /// Frees the bytes, for the last time; there were `len`.
    pub fn clear(&mut self, len: usize) {
        free(self.0.get_mut().long.take(), len);
    }
}

/// Whether any of some cleaned tags has no value.
pub fn has_bare_tag(tags: &[u8]) -> bool {
    !tags.is_empty() && tags.split(|b| *b == b',').any(|tag| !tag.contains(&b':'))
}

fn free(long: Option<Long>, len: usize) {
    if let Some(Long(start)) = long {
        let bytes = std::ptr::slice_from_raw_parts_mut(start.as_ptr(), len);
        // SAFETY: `replace` made it so, of this length.
        drop(unsafe { Box::from_raw(bytes) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_without_a_value() {
        assert!(has_bare_tag(b"k:v,l") && has_bare_tag(b"l"));
        assert!(!has_bare_tag(b"k:v,l:w:x") && !has_bare_tag(b""));
    }
}
