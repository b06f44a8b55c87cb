//! The container that this process runs in, as DogStatsD clients tell the
//! agent.

#![forbid(unsafe_code)]

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The inode of the cgroup namespace of the host.
const HOST_NAMESPACE: u64 = 0xefff_fffb;

/// The container's id; where the process cannot see it, `in-` and the inode of
/// its cgroup, from which the agent finds it. `None` outside of containers.
pub fn id() -> Option<Vec<u8>> {
    let inode = |path: &Path| Some(path.metadata().ok()?.ino());
    let cgroups = std::fs::read("/proc/self/cgroup").ok()?;
    let mounts = std::fs::read("/proc/self/mountinfo").unwrap_or_default();
    let on_host = inode(Path::new("/proc/self/ns/cgroup")).is_none_or(|ns| ns == HOST_NAMESPACE);
    find(&cgroups, &mounts, on_host, inode)
}

fn find(
    cgroups: &[u8],
    mounts: &[u8],
    on_host: bool,
    inode: impl Fn(&Path) -> Option<u64>,
) -> Option<Vec<u8>> {
    // number:controllers:path
    let paths = || lines(cgroups).filter_map(|line| line.splitn(3, |b| *b == b':').nth(2));
    if let Some(id) = paths().find_map(id_at_end) {
        return Some(id.to_vec());
    }
    if on_host {
        return None;
    }
    // in a namespace of its own a container does not see its path, but where
    // its /etc/hostname was mounted from
    if let Some(id) = lines(mounts).find_map(id_in_mount) {
        return Some(id.to_vec());
    }
    let own = lines(cgroups).find_map(|line| line.strip_prefix(b"0::/"))?;
    let root = lines(mounts).find_map(cgroup2)?;
    let path = Path::new(OsStr::from_bytes(root)).join(OsStr::from_bytes(own));
    Some(format!("in-{}", inode(&path)?).into_bytes())
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|b| *b == b'\n')
}

fn is_hex(text: &[u8]) -> bool {
    text.iter().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(b))
}

/// The id that a cgroup's path ends with: 64 hexadecimal digits, a UUID, or
/// Amazon's 32 digits, a dash and a number.
fn id_at_end(path: &[u8]) -> Option<&[u8]> {
    let path = path.strip_suffix(b".scope").unwrap_or(path);
    let tail = |len: usize| path.len().checked_sub(len).map(|at| &path[at..]);
    let long = || tail(64).filter(|id| is_hex(id));
    let uuid = || {
        tail(36).filter(|id| {
            let mut bytes = id.iter().enumerate();
            bytes.all(|(i, b)| match i {
                8 | 13 | 18 | 23 => matches!(b, b'-' | b'_'),
                _ => is_hex(&[*b]),
            })
        })
    };
    let task = || {
        let dash = path.iter().rposition(|b| *b == b'-')?;
        let number = &path[dash + 1..];
        let id = &path[dash.checked_sub(32)?..];
        let fits = is_hex(&id[..32]) && !number.is_empty() && number.iter().all(u8::is_ascii_digit);
        fits.then_some(id)
    };
    long().or_else(uuid).or_else(task)
}

/// The root and the place of a mount.
fn mount(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut fields = line.split(|b| *b == b' ').skip(3);
    Some((fields.next()?, fields.next()?))
}

/// The id in the place that a file called `hostname` was mounted from. That
/// of a sandbox is another container's.
fn id_in_mount(line: &[u8]) -> Option<&[u8]> {
    let root = mount(line)?.0.strip_suffix(b"hostname")?;
    let mut parts = root.rsplit(|b| *b == b'/');
    let id = parts.by_ref().find(|part| part.len() == 64 && is_hex(part))?;
    (parts.next()? != b"sandboxes").then_some(id)
}

/// Where cgroups of version 2 are mounted.
fn cgroup2(line: &[u8]) -> Option<&[u8]> {
    let is_one = line.windows(11).any(|part| part == b" - cgroup2 ");
    Some(mount(line).filter(|_| is_one)?.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "3726184226f5d3147c25fdeab5b60097e378e8a720503a5e19ecfdf29f869860";

    fn found(cgroups: &str, mounts: &str, on_host: bool) -> Option<String> {
        let inode = |path: &Path| {
            assert_eq!(path, Path::new("/sys/fs/cgroup/a/b"));
            Some(42)
        };
        let id = find(cgroups.as_bytes(), mounts.as_bytes(), on_host, inode)?;
        Some(String::from_utf8(id).unwrap())
    }

    #[test]
    fn in_the_path_of_a_cgroup() {
        let uuid = "34dc0b5e-626f-2c5c-4c51-70e34b10e765";
        let task = "34dc0b5e626f2c5c4c5170e34b10e765-1234567890";
        for (path, id) in [
            (format!("/docker/{ID}"), Some(ID)),
            (format!("/kubepods.slice/pod1.slice/cri-containerd-{ID}.scope"), Some(ID)),
            (format!("/kubepods/besteffort/pod{uuid}/{ID}"), Some(ID)),
            (format!("/ecs/{uuid}"), Some(uuid)),
            (format!("/ecs/55091c13b8cf4801b9527f4601742204/{task}"), Some(task)),
            (format!("/kubepods/pod{uuid}.slice"), None),
            (format!("/docker/{}", &ID[1..]), None),
            (format!("/docker/{}", ID.to_uppercase()), None),
            ("/user.slice/user-1000.slice/session-3.scope".to_owned(), None),
            ("/".to_owned(), None),
        ] {
            let cgroups = format!("13:name=systemd:/\nnonsense\n0::{path}\n");
            assert_eq!(found(&cgroups, "", true).as_deref(), id, "{path}");
        }
    }

    #[test]
    fn in_a_namespace_of_its_own() {
        let hostname = |root: &str| {
            format!("600 595 0:30 {root}hostname /etc/hostname rw - ext4 /dev/sda1 rw\n")
        };
        let docker = hostname(&format!("/var/lib/docker/containers/{ID}/"));
        let sandbox = hostname(&format!("/run/containerd/sandboxes/{ID}/"));
        let cgroup2 = "590 580 0:26 / /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw\n";
        let both = format!("{sandbox}{docker}{cgroup2}");
        assert_eq!(found("0::/a/b\n", &both, false).as_deref(), Some(ID));
        let only = format!("{sandbox}{cgroup2}");
        assert_eq!(found("0::/a/b\n", &only, false).as_deref(), Some("in-42"));
        assert_eq!(found("0::/a/b\n", &only, true), None);
        assert_eq!(found("0::/a/b\n", &sandbox, false), None);
        assert_eq!(found("1:cpu:/\n", &only, false), None);
    }
}
