//! What is drawn, held against figures that are computed another way.

mod screen;

use ratatui::buffer::Buffer;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::Color;

use screen::{Screen, chance};

use super::keys;

/// brubeck's figures, by its own definition: of n sorted values the one at
/// rank * n, rounded.
fn brubeck(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| a.partial_cmp(b).unwrap());
    let at = |thousandths: usize| sorted[(sorted.len() * thousandths + 500) / 1000 - 1];
    let sum: f64 = values.iter().sum();
    let mut all = vec![sum / values.len() as f64];
    all.extend([500, 750, 950, 980, 990, 999].map(at));
    all.extend([sorted[0], sorted[sorted.len() - 1], sum]);
    all
}

fn number(text: &str) -> f64 {
    text.parse().unwrap_or_else(|_| panic!("'{text}' is no number"))
}

/// To the four digits that are shown.
#[track_caller]
fn assert_close(have: f64, want: f64) {
    assert!((have - want).abs() <= want.abs() * 5e-4, "{have} is not {want}");
}

#[test]
fn a_timing_in_a_wide_row_and_below_a_narrow_table() {
    let mut screen = Screen::filled(&[]);
    let last = brubeck(&screen.timings[2]);
    let all = brubeck(&screen.timings.concat());
    for (key, want) in [("", &last), ("w", &all)] {
        screen.press(key);
        let row = screen.row(200, "cache.load");
        assert_eq!((&row[1][..], number(&row[2])), ("timer", 1000.0));
        for (cell, want) in row[4..14].iter().zip(want) {
            assert_close(number(cell), *want);
        }
        // the newest
        assert_close(number(&row[3]), chance(2999) as f64 / 1000.0);

        screen.press("/load\n");
        let lines = screen.drawn(80, 24);
        let at = lines.iter().position(|line| line.contains("cache.load in ")).unwrap();
        let detail: String = lines[at + 1..at + 4].concat();
        let words: Vec<_> = detail.split_whitespace().collect();
        assert_eq!(words.len(), 22, "{detail}");
        let names = ["mean", "median", "p75", "p95", "p98", "p99", "p99.9", "min", "max", "sum"];
        for (name, want) in names.iter().zip(want) {
            let at = words.iter().position(|word| word == name).unwrap();
            assert_close(number(words[at + 1]), *want);
        }
        screen.press("\x1b");
    }
}

#[test]
fn rates_and_newest_values() {
    let mut screen = Screen::filled(&["*.size=1/1048576 MiB"]);
    for (name, kind, rate, newest) in [
        // the sum of 0 to 9, and of that in three seconds
        ("requests", "counter", "45", "135"),
        // from 190 to 290
        ("rx", "total", "100", "290"),
        ("cache.0.count", "gauge", "1", "12"),
        ("cache.0.size", "gauge", "1", "3"),
    ] {
        let row = screen.row(100, name);
        assert_eq!(&row[..4], [name, kind, rate, newest], "{name}");
    }
}

#[test]
fn small_screens_show_what_fits() {
    let mut screen = Screen::filled(&[]);
    screen.press(" \u{2193} a");
    for (width, height) in [(1, 1), (5, 3), (20, 5), (20, 24), (200, 2)] {
        screen.drawn(width, height);
    }
    let rows = screen.drawn(20, 24);
    assert!(rows.iter().any(|row| row.contains("load") || row.contains("size")), "{rows:#?}");
    // a name and its newest value, in rows of their own
    let rows = screen.drawn(20, 10);
    assert!(rows.iter().any(|row| row.trim_end() == "  metric      newest"), "{rows:#?}");
}

#[test]
fn the_keys_fit_and_say_what_they_do() {
    let mut screen = Screen::filled(&[]);
    for (pressed, keys) in [("", "s by name"), ("s", "s by type"), ("w", "w of all")] {
        screen.press(pressed);
        let rows = screen.drawn(80, 24);
        let bottom = rows.last().unwrap();
        assert!(bottom.contains(keys) && bottom.contains("p pause"), "{bottom}");
    }
}

#[test]
fn the_chart_and_its_scales() {
    let mut screen = Screen::filled(&[]);
    // count and size
    screen.press("/0\n \u{2193}\u{2191} ");
    assert_eq!(screen.view.chosen.len(), 2);
    let legend = |screen: &mut Screen| screen.drawn(120, 40)[1..3].concat();
    let plain = legend(&mut screen);
    assert!(plain.contains("cache.0.size") && plain.contains(" 3145728"), "{plain}");
    screen.press("a");
    // 12 and 3145728 bytes come together at the smaller one
    let scaled = legend(&mut screen);
    assert!(scaled.contains("cache.0.size") && scaled.contains(" 3 MiB"), "{scaled}");
    let axis = screen.drawn(120, 40).concat();
    assert!(axis.contains("20  │") || axis.contains("20 │"), "{axis}");

    let mut screen = Screen::filled(&["*.size=1/1048576 MiB"]);
    screen.press("/size\n");
    let text = legend(&mut screen);
    assert!(text.contains("cache.0.size × 1/1048576") && text.contains(" 3 MiB"), "{text}");
}

#[test]
fn the_curve_is_where_its_values_are() {
    let mut screen = Screen::new(&[]);
    for value in [0, 0, 0, 100] {
        screen.add(&format!("g:{value}|g"));
        screen.state.history.tick(&mut screen.state.tally, 1.0);
    }
    screen.drawn(80, 24);
    let lines = screen.drawn(80, 24);
    // the last column of the chart has the top of the axis
    let is_dotted = |line: &str| line.chars().any(|c| ('\u{2801}'..='\u{28ff}').contains(&c));
    let chart_only = |line: &String| line.chars().take(54).collect::<String>();
    let rows: Vec<_> = lines[1..9].iter().map(chart_only).collect();
    assert!(is_dotted(&rows[0]), "{rows:#?}");
    let first = rows[6].chars().position(|c| ('\u{2801}'..='\u{28ff}').contains(&c));
    assert!(first.is_some_and(|at| at > 48), "{rows:#?}");
}

#[test]
fn a_filter_as_it_is_typed() {
    let mut screen = Screen::filled(&[]);
    screen.press("/^r");
    let names = |screen: &Screen| {
        let shown = screen.view.order.shown.iter();
        shown.map(|n| screen.state.tally.metrics[*n].name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(&screen), ["requests", "rx"]);
    screen.press("(");
    assert_eq!(names(&screen), ["requests", "rx"]);
    assert!(screen.drawn(80, 24)[23].contains("unclosed group"));
    screen.press("x)\n");
    assert_eq!(names(&screen), ["rx"]);
    screen.press("\x1b");
    assert_eq!(names(&screen).len(), 5);
    screen.press("/none\n");
    assert!(screen.drawn(80, 24).concat().contains("no metric's name matches"));
}

#[test]
fn orders() {
    let mut screen = Screen::filled(&[]);
    let first = |screen: &mut Screen| {
        screen.drawn(80, 24);
        screen.state.tally.metrics[screen.view.order.shown[0]].name.clone()
    };
    assert_eq!(first(&mut screen), "cache.0.count");
    screen.press("r");
    assert_eq!(first(&mut screen), "rx");
    screen.press("rs");
    assert_eq!(first(&mut screen), "requests");
    screen.press("s");
    assert_eq!(first(&mut screen), "cache.load");
    screen.press("s");
    assert_eq!(first(&mut screen), "cache.0.size");
}

#[test]
fn a_pause_holds_what_is_shown() {
    let mut screen = Screen::filled(&[]);
    screen.press("p");
    let before = screen.drawn(200, 50);
    screen.add("requests:1000|c\ncache.load:99999|ms\nnew:1|c");
    screen.state.history.tick(&mut screen.state.tally, 1.0);
    // but for the line of totals
    assert_eq!(screen.drawn(200, 50)[1..], before[1..]);
    assert!(before[0].contains("PAUSED"));
    screen.press("p");
    assert_eq!(screen.row(200, "requests")[2..4], ["1000", "1135"]);
    assert_eq!(screen.row(200, "new")[3], "1");
}

#[test]
fn what_is_amiss_is_on_top() {
    let mut screen = Screen::filled(&[]);
    screen.add("bad");
    screen.state.lost = 7;
    let top = &screen.drawn(120, 24)[0];
    assert!(top.contains("5 metrics") && top.contains("1022 lines/s"), "{top}");
    assert!(top.contains("7 datagrams lost") && top.contains("1 malformed"), "{top}");
}

#[test]
fn no_colours_where_none_are_wanted() {
    let mut screen = Screen::filled(&[]);
    screen.press(" \u{2193} ");
    let has_colour = |buffer: &Buffer| buffer.content.iter().any(|cell| cell.fg != Color::Reset);
    assert!(has_colour(&screen.buffer(120, 40)));
    screen.view.coloured = false;
    assert!(!has_colour(&screen.buffer(120, 40)));
}

#[test]
fn any_size() {
    let mut screen = Screen::filled(&[]);
    for keys in ["", "?", "/x", "\x1b \u{2193} a"] {
        screen.press(keys);
        for (width, height) in [(1, 1), (10, 3), (20, 60), (30, 14), (300, 10), (155, 15)] {
            assert_eq!(screen.drawn(width, height).len(), usize::from(height));
        }
    }
    let mut empty = Screen::new(&[]);
    assert!(empty.drawn(80, 24).concat().contains("nothing has come yet"));
    empty.press("\u{2193} apwsrv?q");
}

#[test]
fn the_cursor_stays_in_sight() {
    let mut screen = Screen::new(&[]);
    for n in 0..100 {
        screen.add(&format!("n{n:03}:1|c"));
    }
    screen.state.history.tick(&mut screen.state.tally, 1.0);
    screen.drawn(80, 24);
    screen.press("G");
    assert!(screen.drawn(80, 24).concat().contains("n099"));
    screen.press("kkk");
    assert_eq!(screen.state.tally.metrics[screen.view.cursor.unwrap()].name, "n096");
    screen.press("g");
    let top = screen.drawn(80, 24).concat();
    assert!(top.contains("n000") && !top.contains("n099"));
    screen.press("         ");
    assert!(screen.drawn(80, 24)[23].contains("eight metrics are the most"));
    let quit = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert!(keys::press(quit, &mut screen.view, &mut screen.state).is_break());
}
