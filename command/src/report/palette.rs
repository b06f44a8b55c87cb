//! The colours of charts, on the page and in pictures. They were chosen to
//! stay apart for eyes that confuse red, green or blue too, and to stand out
//! from the ground, light or dark.
#![forbid(unsafe_code)]

use std::fmt::Write;

/// A colour's name, and what it is on a light and on a dark ground.
pub struct Colour {
    pub name: &'static str,
    pub light: &'static str,
    pub dark: &'static str,
}

const fn colour(name: &'static str, light: &'static str, dark: &'static str) -> Colour {
    Colour { name, light, dark }
}

/// For lines that have no order.
pub const LINES: [Colour; 8] = [
    colour("line-1", "#007cce", "#4f80ff"),
    colour("line-2", "#e05a0c", "#ff6a2b"),
    colour("line-3", "#218c6c", "#2bd073"),
    colour("line-4", "#613ad0", "#cea6ff"),
    colour("line-5", "#7a2020", "#f3e330"),
    colour("line-6", "#c06ba8", "#f2abb6"),
    colour("line-7", "#10375c", "#a8fbff"),
    colour("line-8", "#a38a4c", "#7685a4"),
];

/// For percentiles, from the lowest to the highest.
pub const RAMP: [Colour; 5] = [
    colour("ramp-1", "#253271", "#4a78ff"),
    colour("ramp-2", "#6d3bc1", "#b98ae0"),
    colour("ramp-3", "#d84c95", "#fc6896"),
    colour("ramp-4", "#e0433f", "#ffa176"),
    colour("ramp-5", "#cf8300", "#efe54d"),
];

/// The colours as properties of the page.
pub fn style() -> String {
    let of = |shade: fn(&Colour) -> &str| {
        LINES.iter().chain(&RAMP).fold(String::new(), |mut css, colour| {
            let _ = writeln!(css, "  --{}: {};", colour.name, shade(colour));
            css
        })
    };
    let (light, dark) = (of(|c| c.light), of(|c| c.dark));
    format!(":root {{\n{light}}}\n\n:root[data-theme=\"dark\"] {{\n{dark}}}")
}
