//! Where lines come from, as the Datadog agent is told: it adds the tags of
//! the container and its pod.

#![forbid(unsafe_code)]

use crate::encode::name::clean_bytes;

/// More than this is no identity of a pod or a container.
const TOO_LONG: usize = 128;

/// What each line ends with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Origin {
    /// The pod's tag, or empty.
    tag: Vec<u8>,
    /// The container's field, or empty.
    field: Vec<u8>,
}

impl Origin {
    /// Of what the environment has as the pod, and of the container's id.
    pub fn new(entity: Option<&[u8]>, container: Option<&[u8]>) -> Origin {
        let text = |lead: &[u8], id: Option<&[u8]>| {
            let id = id.map(<[u8]>::trim_ascii).unwrap_or_default();
            if id.is_empty() || id.len() > TOO_LONG {
                return Vec::new();
            }
            let mut text = lead.to_vec();
            clean_bytes(id, &mut text);
            text
        };
        let tag = text(b"dd.internal.entity_id:", entity);
        Origin { tag, field: text(b"|c:", container) }
    }

    /// Writes it behind the tags of a line, of which there are some if
    /// `tagged`.
    pub fn write(&self, tagged: bool, out: &mut Vec<u8>) {
        if !self.tag.is_empty() {
            out.extend_from_slice(if tagged { b"," } else { b"|#" });
            out.extend_from_slice(&self.tag);
        }
        out.extend_from_slice(&self.field);
    }

    /// The most bytes that it takes in a line.
    pub fn room(&self) -> usize {
        let tag = if self.tag.is_empty() { 0 } else { 2 + self.tag.len() };
        tag + self.field.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_the_tags() {
        let written = |entity: Option<&str>, container: Option<&str>, tagged| {
            let origin = Origin::new(entity.map(str::as_bytes), container.map(str::as_bytes));
            let mut out = Vec::new();
            origin.write(tagged, &mut out);
            assert!(out.len() <= origin.room() && origin.room() <= out.len() + 1);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(written(None, None, true), "");
        assert_eq!(written(Some(" "), None, false), "");
        assert_eq!(written(None, Some("in-42"), true), "|c:in-42");
        assert_eq!(written(Some("p\n|1"), None, true), ",dd.internal.entity_id:p__1");
        assert_eq!(written(Some("p"), Some("id"), false), "|#dd.internal.entity_id:p|c:id");
        assert_eq!(written(Some(&"p".repeat(129)), None, false), "");
    }
}
