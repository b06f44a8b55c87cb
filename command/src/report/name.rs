//! A metric's name, as charts are grouped and labelled by it.
#![forbid(unsafe_code)]

/// `flux.content-cache.0` and `size`. Tags stay with the last part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name<'a> {
    pub prefix: &'a str,
    pub last: &'a str,
}

impl<'a> Name<'a> {
    pub fn of(name: &'a str) -> Name<'a> {
        let end = name.find(';').unwrap_or(name.len());
        match name[..end].rfind('.') {
            Some(dot) => Name { prefix: &name[..dot], last: &name[dot + 1..] },
            None => Name { prefix: "", last: name },
        }
    }
}

fn is_number(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())
}

/// A name with `*` for each part that is a number: `flux.*.size` of
/// `flux.0.size`.
pub fn numbers_as_stars(name: &str) -> String {
    let end = name.find(';').unwrap_or(name.len());
    let parts = name[..end].split('.').map(|part| if is_number(part) { "*" } else { part });
    parts.collect::<Vec<_>>().join(".") + &name[end..]
}

/// What those parts are, with dots between them.
pub fn stars(name: &str) -> String {
    let end = name.find(';').unwrap_or(name.len());
    name[..end].split('.').filter(|part| is_number(part)).collect::<Vec<_>>().join(".")
}

/// A key to sort names by: numbers in them by their size.
pub fn natural(name: &str) -> Vec<(u64, &str)> {
    let mut parts = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let text = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let digits = rest[text..].find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len() - text);
        let number = rest[text..text + digits].parse().unwrap_or(u64::MAX);
        // text first: the number is compared where texts are equal
        parts.push((0, &rest[..text]));
        parts.push((number, ""));
        rest = &rest[text + digits..];
    }
    parts
}

/// What a chart's name on the command line is made of.
pub fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars() {
        if c.is_alphanumeric() || ".-_*".contains(c) {
            slug.extend(c.to_lowercase());
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}

/// `a`, `a and b`, `a, b and c`.
pub fn list(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_no_part_of_the_prefix() {
        assert_eq!(Name::of("a.b.c"), Name { prefix: "a.b", last: "c" });
        assert_eq!(Name::of("a.b;k=v.w"), Name { prefix: "a", last: "b;k=v.w" });
        assert_eq!(Name::of("b"), Name { prefix: "", last: "b" });
    }

    #[test]
    fn ranks_are_stars() {
        assert_eq!(numbers_as_stars("flux.12.cache.0.size;rank=3"), "flux.*.cache.*.size;rank=3");
        assert_eq!(numbers_as_stars("a2.b"), "a2.b");
        assert_eq!(stars("flux.12.cache.0.size;rank=3"), "12.0");
    }

    #[test]
    fn ten_comes_after_nine() {
        let mut names = ["a.10.x", "a.9.x", "a.x", "a", "a.9.w"];
        names.sort_by_key(|name| natural(name));
        assert_eq!(names, ["a", "a.9.w", "a.9.x", "a.10.x", "a.x"]);
    }

    #[test]
    fn slugs_and_lists() {
        assert_eq!(slug("flux.0. Mean, median of (load)"), "flux.0.-mean-median-of-load");
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
        assert_eq!(list(&["a"]), "a");
    }
}
