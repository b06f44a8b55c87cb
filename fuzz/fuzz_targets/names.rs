//! Any bytes as a name: what is sent is what the contract says, a server
//! reads it as one name, and it stands for itself.

#![no_main]

use fripp::encode::name;
use fripp_fuzz::{clean, is_clean, with_buffers};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|raw: &[u8]| {
    with_buffers(|buffers| {
        let (told, wanted) = (&mut buffers.told, &mut buffers.wanted);
        let len = name::clean(raw, told);
        assert_eq!(len, told.len());
        clean(raw, wanted);
        assert_eq!(told, wanted);
        assert!(is_clean(told));
        assert!(told.first() != Some(&b'.') && told.last() != Some(&b'.'));
        assert!(!told.windows(2).any(|pair| pair == b".."));
        // a name that was cleaned stays as it is, whatever comes before it
        let again = name::clean(wanted, told);
        assert_eq!((again, &told[len..]), (len, &wanted[..]));
    });
});
